// One thread with its own event loop, HTTP client and parser. Owns the sources it was given and shares nothing but the
// batch queue. Sources come and go while it runs.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <list>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include "core/batch_queue.h"
#include "core/http_client.h"
#include "core/log_reader.h"
#include "core/metrics.h"
#include "core/signal.h"
#include "core/source_poller.h"
#include "core/spawn.h"
#include "core/task.h"

namespace sessionlogd {

// A source as a shard takes it over.
struct NewSource {
  std::shared_ptr<const SourceSettings> settings;
  std::shared_ptr<SourceCounters> counters;
  RestoredSource restored;
  std::chrono::milliseconds first_contact_after{0};  // so that not all begin at once
};

class Shard {
 public:
  using MakeEncoder = std::function<std::unique_ptr<Encoder>(const SourceSettings&)>;

  // Queue and quarantine (nullptr: no state is kept, nor what is no JSON) must outlive this, and the bytes that each
  // source may keep as fingerprints, which may change.
  Shard(BatchQueue& queue, const MemoryShares& memory, std::shared_ptr<LargeAnswers> large_answers,
        Quarantine* quarantine, const std::atomic<std::size_t>& fingerprint_bytes, MakeEncoder make_encoder,
        PollMode mode, std::uint64_t seed);
  ~Shard();

  // Before start(), or on this shard's thread: then the source begins at once. Throws std::runtime_error when a file or
  // secret that its settings name cannot be used; `source.restored` is then as it was.
  void add(NewSource& source);

  // On this shard's thread. The source stops polling, logs out, and is gone; `removed` is then called with what is
  // known of its sessions, of which everything durable is in the queue already.
  void remove(std::string_view id, std::function<void(RestoredSource)> removed);

  // On this shard's thread; nullptr when it is not here.
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
    Source(NewSource& from, std::unique_ptr<Encoder> with, ShardServices services, PollMode mode)
        : settings(from.settings),
          first_contact_after(from.first_contact_after),
          encoder(std::move(with)),
          poller({services, *settings, from.counters, *encoder, mode}, std::move(from.restored)) {}

    const std::shared_ptr<const SourceSettings> settings;  // what stands below looks at them
    const std::chrono::milliseconds first_contact_after;
    const std::unique_ptr<Encoder> encoder;
    SourcePoller poller;
    std::function<void(RestoredSource)> removed;  // set while it is being removed
  };
  using Sources = std::list<Source>;

  Task<void> run_source(Sources::iterator source);
  void end_if_idle();

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  BatchQueue& queue_;
  Quarantine* const quarantine_;
  const std::atomic<std::size_t>& fingerprint_bytes_;
  const MakeEncoder make_encoder_;
  const PollMode mode_;
  std::mt19937_64 random_;
  ShardMetrics metrics_;
  HttpClient http_;
  LogReader reader_;
  Signal room_;
  Sources sources_;
  bool started_ = false;
  bool stopping_ = false;
  std::size_t running_ = 0;
  std::function<void()> on_end_;
  std::thread thread_;
};

}  // namespace sessionlogd
