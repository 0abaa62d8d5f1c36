#include "core/shard.h"

#include <boost/asio/post.hpp>
#include <iterator>
#include <utility>

namespace sessionlogd {
namespace asio = boost::asio;

Shard::Shard(BatchQueue& queue, const MemoryShares& memory, std::shared_ptr<LargeAnswers> large_answers,
             Quarantine* quarantine, const std::atomic<std::size_t>& fingerprint_bytes, MakeEncoder make_encoder,
             PollMode mode, std::uint64_t seed)
    : work_(asio::make_work_guard(io_)),
      queue_(queue),
      quarantine_(quarantine),
      fingerprint_bytes_(fingerprint_bytes),
      make_encoder_(std::move(make_encoder)),
      mode_(mode),
      random_(seed),
      http_(io_, memory, std::move(large_answers)),
      reader_(queue, memory),
      room_(io_) {}

Shard::~Shard() { join(); }

void Shard::add(NewSource& source) {
  if (stopping_) return;
  const ShardServices services{
      io_, http_, reader_, queue_, quarantine_, room_, random_, metrics_, fingerprint_bytes_, quarantine_ != nullptr};
  sources_.emplace_back(source, make_encoder_(*source.settings), services, mode_);
  if (started_) {
    ++running_;
    spawn(io_, run_source(std::prev(sources_.end())));
  }
}

void Shard::start(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  started_ = true;
  running_ = sources_.size();
  for (auto source = sources_.begin(); source != sources_.end(); ++source) spawn(io_, run_source(source));
  asio::post(io_, [this] { end_if_idle(); });
  thread_ = std::thread([this] { io_.run(); });
}

Task<void> Shard::run_source(Sources::iterator source) {
  co_await source->poller.run(source->first_contact_after);
  --running_;
  if (source->removed) {
    const auto removed = std::move(source->removed);
    RestoredSource known = source->poller.release();
    sources_.erase(source);
    removed(std::move(known));
  }
  end_if_idle();
}

void Shard::end_if_idle() {
  const bool none_can_come = stopping_ || mode_ == PollMode::kOnePass;
  if (running_ == 0 && none_can_come) std::exchange(on_end_, [] {})();
}

void Shard::remove(std::string_view id, std::function<void(RestoredSource)> removed) {
  for (Source& source : sources_) {
    if (source.settings->id != id) continue;
    source.removed = std::move(removed);
    source.poller.stop();
    room_.notify();
    return;
  }
}

SourcePoller* Shard::find(std::string_view id) {
  for (Source& source : sources_) {
    if (source.settings->id == id) return &source.poller;
  }
  return nullptr;
}

void Shard::post(std::function<void()> task) { asio::post(io_, std::move(task)); }

ShardView Shard::view() {
  ShardView view;
  for (Source& source : sources_) view.sources.push_back(source.poller.view());
  view.poll_seconds = metrics_.poll_seconds.read();
  view.poll_lateness_seconds = metrics_.poll_lateness_seconds.read();
  view.body_bytes = http_.body_bytes();
  view.requests_in_flight = http_.in_flight();
  return view;
}

void Shard::stop() {
  post([this] {
    stopping_ = true;
    for (Source& source : sources_) source.poller.stop();
    room_.notify();
    end_if_idle();
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
