#include "core/shard.h"

#include <boost/asio/post.hpp>

namespace sessionlogd {
namespace {

namespace asio = boost::asio;

// Between the first contacts of two sources: name look-ups and TLS handshakes come one after the other, not all at
// once.
constexpr std::chrono::milliseconds kStagger{2};

}  // namespace

Shard::Shard(BatchQueue& queue, const MemoryShares& memory, std::shared_ptr<LargeAnswers> large_answers,
             Quarantine* quarantine, std::uint64_t seed)
    : work_(asio::make_work_guard(io_)),
      queue_(queue),
      quarantine_(quarantine),
      random_(seed),
      http_(io_, memory, std::move(large_answers)),
      reader_(queue, memory),
      room_(io_) {}

Shard::~Shard() { join(); }

void Shard::add(const SourceSettings& settings, RestoredSource restored, std::unique_ptr<Encoder> encoder,
                PollMode mode) {
  const ShardServices services{io_, http_, reader_, queue_, quarantine_, room_, random_};
  sources_.push_back(std::make_unique<SourcePoller>(services, settings, std::move(restored), *encoder, mode));
  encoders_.push_back(std::move(encoder));
}

void Shard::start(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  running_ = sources_.size();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    spawn(io_, run_source(*sources_[i], kStagger * static_cast<int>(i)));
  }
  if (running_ == 0) asio::post(io_, [this] { on_end_(); });
  thread_ = std::thread([this] { io_.run(); });
}

asio::awaitable<void> Shard::run_source(SourcePoller& source, std::chrono::milliseconds delay) {
  co_await source.run(delay);
  if (--running_ == 0) on_end_();
}

void Shard::post(std::function<void()> task) { asio::post(io_, std::move(task)); }

void Shard::stop() {
  post([this] {
    for (const auto& source : sources_) source->stop();
    room_.notify();
  });
}

void Shard::notify_room() {
  post([this] { room_.notify(); });
}

void Shard::join() {
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

}  // namespace sessionlogd
