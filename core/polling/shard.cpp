#include "core/polling/shard.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "core/http/threads_of_this_name.h"

namespace sessionlogd {
namespace asio = boost::asio;

Shard::Shard(const MemoryShares& memory, const MakeClient& make_client, Quarantine* quarantine,
             const std::atomic<std::size_t>& fingerprint_bytes, MakeEncoder make_encoder, PollMode mode,
             std::uint64_t seed, Accounts* accounts, std::chrono::milliseconds verify)
    : work_(asio::make_work_guard(io_)),
      http_(make_client(io_)),
      sources_({.io = io_,
                .http = *http_,
                .memory = memory,
                .quarantine = quarantine,
                .fingerprint_bytes = fingerprint_bytes,
                .make_encoder = std::move(make_encoder),
                .mode = mode,
                .seed = seed,
                .accounts = accounts,
                .verify = verify}) {}

Shard::~Shard() { join(); }

void Shard::start(std::function<void()> on_end) {
  sources_.start(std::move(on_end));
  thread_ = std::thread([this] {
    name_this_thread();  // so that it can count its resolver's
    io_.run();
  });
}

void Shard::post(std::function<void()> task) { asio::post(io_, std::move(task)); }

void Shard::stop() {
  post([this] { sources_.stop(); });
}

void Shard::notify_room() {
  post([this] { sources_.notify_room(); });
}

void Shard::join() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace sessionlogd
