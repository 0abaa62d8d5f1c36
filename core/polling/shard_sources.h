// The sources of one shard, on its event loop: they come, are polled or parked, and go. Knows nothing of threads.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/base/memory_shares.h"
#include "core/base/metrics.h"
#include "core/entries/log_reader.h"
#include "core/http/http_client.h"
#include "core/polling/source_poller.h"
#include "core/state/batch_queue.h"

namespace sessionlogd {

// A source as a shard takes it over.
struct NewSource {
  std::shared_ptr<BatchQueue> queue;  // of its lane, whose life tells it from others of its id
  std::shared_ptr<const SourceSettings> settings;
  std::shared_ptr<SourceCounters> counters;
  RestoredSource restored;
  std::chrono::milliseconds first_contact_after{0};  // so that not all begin at once
  std::chrono::milliseconds try_again{30'000};       // when a file that it names cannot be used
};

// All on the shard's thread, but for what comes before start().
class ShardSources {
 public:
  using MakeEncoder = std::function<std::unique_ptr<Encoder>(const SourceSettings&)>;

  // All that is referred to must outlive this.
  struct Parts {
    boost::asio::io_context& io;
    HttpClient& http;
    const MemoryShares& memory;
    Quarantine* quarantine;                             // nullptr: no state is kept, nor what is no JSON
    const std::atomic<std::size_t>& fingerprint_bytes;  // that each source may keep; may change
    MakeEncoder make_encoder;
    PollMode mode;
    std::uint64_t seed;
    Accounts* accounts;
    std::chrono::milliseconds verify;  // how often the sessions of the last day are read again, 0 = never
  };
  explicit ShardSources(Parts parts);

  // One of its id and life. It begins at once, or with start(). Returns why it cannot be polled now, when a file or
  // secret that its settings name cannot be used, "" = it can. It is here all the same, parked, and tried again.
  std::string add(NewSource source);

  // The source stops polling, logs out, and is gone; `removed` is then called with what is known of its sessions, of
  // which everything durable is in the queue already. At once and with nothing when it is not here, or is being
  // removed. One that may be back, in another life, is gone before it logs out, which it does when it could log in
  // again.
  enum class Leaves { kForGood, kAndMayBeBack };
  using Removed = std::function<void(std::optional<RestoredSource>)>;
  void remove(const std::string& id, std::uint64_t life, Leaves how, Removed removed);

  // nullptr when it is not polled here.
  SourcePoller* find(const std::string& id, std::uint64_t life);

  // `on_end` is called when all have ended and none can come any more: after stop(), or the one pass.
  void start(std::function<void()> on_end);

  // They stop polling, log out, and end.
  void stop();

  ShardView view();

  // The queue has room again.
  void notify_room() { room_.notify(); }

 private:
  struct Source {
    Source(NewSource from, std::unique_ptr<Encoder> with, boost::asio::io_context& io)
        : as_given(std::move(from)), encoder(std::move(with)), woken(io) {}

    const SourceSettings& settings() const { return *as_given.settings; }

    NewSource as_given;  // its state until there is a poller; what stands below looks at its settings
    const std::unique_ptr<Encoder> encoder;
    std::optional<SourcePoller> poller;  // none while a file that the settings name cannot be used
    std::string unusable;                // why there is none
    Signal woken;                        // there is none and none is wanted any more
    Removed removed;                     // set while it is being removed
    Leaves leaves = Leaves::kForGood;
    bool has_ended = false;  // the one pass, or after stop()
  };
  using Sources = std::map<std::pair<std::string, std::uint64_t>, Source>;  // by id and life
  // What is left of a source that may be back.
  struct Leaver {
    std::shared_ptr<const SourceSettings> settings;
    std::unique_ptr<ApiClient> client;
    Signal woken;  // it is to log out now
  };
  using Leavers = std::list<Leaver>;

  void make_poller(Source& source);
  void stop(Source& source);
  Task<void> make_poller_in_time(Source& source);
  Task<void> run_source(Sources::iterator at);
  Task<void> log_out(Source& source);
  Task<void> log_out_later(Leavers::iterator at, SteadyTime until);
  void hand_back(Sources::iterator at);
  void end_if_idle();
  void look_at_sources();

  const Parts parts_;
  std::mt19937_64 random_;
  ShardMetrics metrics_;
  LogReader reader_;
  Signal room_;
  Timer looks_again_;
  Sources sources_;
  Leavers leavers_;
  bool started_ = false;
  bool stopping_ = false;
  std::size_t running_ = 0;
  std::function<void()> on_end_;
};

}  // namespace sessionlogd
