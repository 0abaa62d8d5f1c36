// One thread with its own event loop, HTTP client and parser. Owns the sources it was given and shares nothing but the
// batch queues. Sources come and go while it runs.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "core/base/memory_shares.h"
#include "core/http/http_client.h"
#include "core/polling/shard_sources.h"

namespace sessionlogd {

class Shard {
 public:
  // Called once, by the constructor.
  using MakeClient = std::function<std::unique_ptr<HttpClient>(boost::asio::io_context&)>;
  using MakeEncoder = ShardSources::MakeEncoder;

  // Quarantine (nullptr: no state is kept, nor what is no JSON) and accounts must outlive this, and the bytes
  // that each source may keep as fingerprints, which may change. `verify`: how often the sessions of the last day are
  // read again, 0 = never.
  Shard(const MemoryShares& memory, const MakeClient& make_client, Quarantine* quarantine,
        const std::atomic<std::size_t>& fingerprint_bytes, MakeEncoder make_encoder, PollMode mode, std::uint64_t seed,
        Accounts* accounts = nullptr, std::chrono::milliseconds verify = {});
  ~Shard();

  // On this shard's thread, or before start().
  ShardSources& sources() { return sources_; }

  // `on_end` is called on this shard's thread when all its sources have ended and none can come any more: after stop(),
  // or the one pass.
  void start(std::function<void()> on_end);

  // Any thread. The sources stop polling, log out, and end.
  void stop();

  // Any thread: runs `task` on this shard's.
  void post(std::function<void()> task);

  // Any thread: a queue has room again.
  void notify_room();

  // Ends the thread, at once: called when on_end was, or when waiting for it took too long.
  void join();

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  const std::unique_ptr<HttpClient> http_;
  ShardSources sources_;
  std::thread thread_;
};

}  // namespace sessionlogd
