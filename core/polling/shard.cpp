#include "core/polling/shard.h"
#include "core/base/log_line.h"
#include "core/http/threads_of_this_name.h"

#include <boost/asio/post.hpp>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace sessionlogd {
namespace asio = boost::asio;
namespace {

constexpr std::chrono::seconds kLooksEvery{5};

}  // namespace

Shard::Shard(BatchQueue& queue, const MemoryShares& memory, const MakeClient& make_client, Quarantine* quarantine,
             const std::atomic<std::size_t>& fingerprint_bytes, MakeEncoder make_encoder, PollMode mode,
             std::uint64_t seed, Accounts* accounts, std::chrono::milliseconds verify)
    : work_(asio::make_work_guard(io_)),
      queue_(queue),
      quarantine_(quarantine),
      fingerprint_bytes_(fingerprint_bytes),
      accounts_(accounts),
      verify_(verify),
      make_encoder_(std::move(make_encoder)),
      mode_(mode),
      random_(seed),
      http_(make_client(io_)),
      reader_(queue, memory),
      room_(io_),
      looks_again_(io_) {}

Shard::~Shard() { join(); }

std::string Shard::add(NewSource source) {
  if (stopping_) return {};
  auto encoder = make_encoder_(*source.settings);
  Source& added = sources_.emplace_back(std::move(source), std::move(encoder), io_);
  make_poller(added);
  if (!added.poller) {
    log_error({.source = added.settings().name}, "cannot be polled: {}; {}", added.unusable,
              mode_ == PollMode::kOnePass ? "it is left out" : "it is parked and tried again");
  }
  if (started_) {
    ++running_;
    spawn(io_, run_source(std::prev(sources_.end())));
  }
  return added.unusable;
}

void Shard::make_poller(Source& source) {
  const ShardServices services{io_,
                               *http_,
                               reader_,
                               queue_,
                               quarantine_,
                               room_,
                               random_,
                               metrics_,
                               fingerprint_bytes_,
                               quarantine_ != nullptr,
                               accounts_,
                               verify_};
  NewSource& given = source.as_given;
  try {
    source.poller.emplace(SourcePoller::Parts{services, source.settings(), given.counters, *source.encoder, mode_},
                          std::move(given.restored));
    source.unusable.clear();
  } catch (const std::runtime_error& why) {
    source.unusable = why.what();
  }
}

// Returns with a poller, or when none is wanted any more.
Task<void> Shard::make_poller_in_time(Sources::iterator source) {
  source->as_given.counters->failing = true;
  while (!source->poller && !stopping_ && !source->removed && mode_ != PollMode::kOnePass) {
    co_await source->woken.wait_until(SteadyClock::now() + source->as_given.try_again);
    if (stopping_ || source->removed) break;
    make_poller(*source);
    if (source->poller) log_info({.source = source->settings().name}, "can be polled now");
  }
}

void Shard::start(std::function<void()> on_end) {
  on_end_ = std::move(on_end);
  started_ = true;
  running_ = sources_.size();
  for (auto source = sources_.begin(); source != sources_.end(); ++source) spawn(io_, run_source(source));
  asio::post(io_, [this] {
    look_at_sources();
    end_if_idle();
  });
  thread_ = std::thread([this] {
    name_this_thread();  // so that it can count its resolver's
    io_.run();
  });
}

Task<void> Shard::run_source(Sources::iterator source) {
  if (!source->poller) co_await make_poller_in_time(source);
  if (source->poller) co_await source->poller->run(source->as_given.first_contact_after);
  --running_;
  if (source->removed) {
    const auto removed = std::move(source->removed);
    RestoredSource known = source->poller ? source->poller->release() : std::move(source->as_given.restored);
    sources_.erase(source);
    removed(std::move(known));
  }
  end_if_idle();
}

// What has gone on for too long shows when nothing happens, too.
void Shard::look_at_sources() {
  if (stopping_) return;
  for (Source& source : sources_) {
    if (source.poller) source.poller->look();
  }
  looks_again_.expires_after(kLooksEvery);
  looks_again_.async_wait([this](const boost::system::error_code& error) {
    if (!error) look_at_sources();
  });
}

void Shard::end_if_idle() {
  const bool none_can_come = stopping_ || mode_ == PollMode::kOnePass;
  if (running_ == 0 && none_can_come) std::exchange(on_end_, [] {})();
}

void Shard::remove(std::string_view id, std::function<void(RestoredSource)> removed) {
  for (Source& source : sources_) {
    if (source.settings().id != id) continue;
    source.removed = std::move(removed);
    stop(source);
    room_.notify();
    return;
  }
}

void Shard::stop(Source& source) {
  if (source.poller) source.poller->stop();
  source.woken.notify();
}

SourcePoller* Shard::find(std::string_view id) {
  for (Source& source : sources_) {
    if (source.settings().id == id && source.poller) return &*source.poller;
  }
  return nullptr;
}

void Shard::post(std::function<void()> task) { asio::post(io_, std::move(task)); }

ShardView Shard::view() {
  ShardView view;
  for (Source& source : sources_) {
    view.sources.push_back(source.poller ? source.poller->view()
                                         : view_of_unusable(source.settings(), source.unusable));
  }
  view.poll_seconds = metrics_.poll_seconds.read();
  view.poll_lateness_seconds = metrics_.poll_lateness_seconds.read();
  view.body_bytes = http_->body_bytes();
  view.requests_in_flight = http_->in_flight();
  return view;
}

void Shard::stop() {
  post([this] {
    stopping_ = true;
    for (Source& source : sources_) stop(source);
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
