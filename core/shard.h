// One thread with its own event loop, HTTP client and parser. Owns the sources it was given and shares nothing but the
// batch queue.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "core/batch_queue.h"
#include "core/http_client.h"
#include "core/log_reader.h"
#include "core/signal.h"
#include "core/source_poller.h"
#include "core/spawn.h"

namespace sessionlogd {

class Shard {
 public:
  // Queue and quarantine (nullptr: what is no JSON is not kept) must outlive this.
  Shard(BatchQueue& queue, const MemoryShares& memory, std::shared_ptr<LargeAnswers> large_answers,
        Quarantine* quarantine, std::uint64_t seed);
  ~Shard();

  // Before start(). Settings must outlive this.
  void add(const SourceSettings& settings, RestoredSource restored, std::unique_ptr<Encoder> encoder, PollMode mode);

  // `on_end` is called on this shard's thread when all its sources have ended.
  void start(std::function<void()> on_end);

  // Any thread. The sources stop polling, log out, and end.
  void stop();

  // Any thread: runs `task` on this shard's.
  void post(std::function<void()> task);

  // Any thread: the queue has room again.
  void notify_room();

  // Ends the thread, at once: called when on_end was, or when waiting for it took too long.
  void join();

  const std::vector<std::unique_ptr<SourcePoller>>& sources() const { return sources_; }

 private:
  boost::asio::awaitable<void> run_source(SourcePoller& source, std::chrono::milliseconds delay);

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  BatchQueue& queue_;
  Quarantine* const quarantine_;
  std::mt19937_64 random_;
  HttpClient http_;
  LogReader reader_;
  Signal room_;
  std::vector<std::unique_ptr<Encoder>> encoders_;
  std::vector<std::unique_ptr<SourcePoller>> sources_;
  std::size_t running_ = 0;
  std::function<void()> on_end_;
  std::thread thread_;
};

}  // namespace sessionlogd
