// One thread with its own event loop, HTTP client and parser. Owns the sources it was given and shares nothing but the
// batch queue. Sources come and go while it runs.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include "core/async/signal.h"
#include "core/async/spawn.h"
#include "core/async/task.h"
#include "core/base/metrics.h"
#include "core/entries/log_reader.h"
#include "core/http/http_client.h"
#include "core/polling/source_poller.h"
#include "core/state/batch_queue.h"

namespace sessionlogd {

// A source as a shard takes it over.
struct NewSource {
  std::shared_ptr<const SourceSettings> settings;
  std::shared_ptr<SourceCounters> counters;
  RestoredSource restored;
  std::chrono::milliseconds first_contact_after{0};  // so that not all begin at once
  std::chrono::milliseconds try_again{30'000};       // when a file that it names cannot be used
};

class Shard {
 public:
  // Called once, by the constructor.
  using MakeClient = std::function<std::unique_ptr<HttpClient>(boost::asio::io_context&)>;
  using MakeEncoder = std::function<std::unique_ptr<Encoder>(const SourceSettings&)>;

  // Queue, quarantine (nullptr: no state is kept, nor what is no JSON) and accounts must outlive this, and the bytes
  // that each source may keep as fingerprints, which may change. `verify`: how often the sessions of the last day are
  // read again, 0 = never.
  Shard(BatchQueue& queue, const MemoryShares& memory, const MakeClient& make_client, Quarantine* quarantine,
        const std::atomic<std::size_t>& fingerprint_bytes, MakeEncoder make_encoder, PollMode mode, std::uint64_t seed,
        Accounts* accounts = nullptr, std::chrono::milliseconds verify = {});
  ~Shard();

  // Before start(), or on this shard's thread: then the source begins at once. Returns why it cannot be polled now,
  // when a file or secret that its settings name cannot be used, "" = it can. It is here all the same, parked, and
  // tried again.
  std::string add(NewSource source);

  // On this shard's thread. The source stops polling, logs out, and is gone; `removed` is then called with what is
  // known of its sessions, of which everything durable is in the queue already.
  void remove(std::string_view id, std::function<void(RestoredSource)> removed);

  // On this shard's thread; nullptr when it is not polled here.
  SourcePoller* find(std::string_view id);

  // `on_end` is called on this shard's thread when all its sources have ended and none can come any more: after stop(),
  // or the one pass.
  void start(std::function<void()> on_end);

  // Any thread. The sources stop polling, log out, and end.
  void stop();

  // Any thread: runs `task` on this shard's.
  void post(std::function<void()> task);

  // On this shard's thread.
  ShardView view();

  // Any thread: the queue has room again.
  void notify_room();

  // Ends the thread, at once: called when on_end was, or when waiting for it took too long.
  void join();

 private:
  struct Source {
    Source(NewSource from, std::unique_ptr<Encoder> with, boost::asio::io_context& io)
        : as_given(std::move(from)), encoder(std::move(with)), woken(io) {}

    const SourceSettings& settings() const { return *as_given.settings; }

    NewSource as_given;  // its state until there is a poller; what stands below looks at its settings
    const std::unique_ptr<Encoder> encoder;
    std::optional<SourcePoller> poller;           // none while a file that the settings name cannot be used
    std::string unusable;                         // why there is none
    Signal woken;                                 // there is none and none is wanted any more
    std::function<void(RestoredSource)> removed;  // set while it is being removed
  };
  using Sources = std::list<Source>;

  void make_poller(Source& source);
  void stop(Source& source);
  Task<void> make_poller_in_time(Sources::iterator source);
  Task<void> run_source(Sources::iterator source);
  void end_if_idle();
  void look_at_sources();

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  BatchQueue& queue_;
  Quarantine* const quarantine_;
  const std::atomic<std::size_t>& fingerprint_bytes_;
  Accounts* const accounts_;
  const std::chrono::milliseconds verify_;
  const MakeEncoder make_encoder_;
  const PollMode mode_;
  std::mt19937_64 random_;
  ShardMetrics metrics_;
  const std::unique_ptr<HttpClient> http_;
  LogReader reader_;
  Signal room_;
  Timer looks_again_;
  Sources sources_;
  bool started_ = false;
  bool stopping_ = false;
  std::size_t running_ = 0;
  std::function<void()> on_end_;
  std::thread thread_;
};

}  // namespace sessionlogd
