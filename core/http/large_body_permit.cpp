#include "core/http/large_body_permit.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace sessionlogd {
namespace {

// Another shard's permit comes back without a word to us; large responses take longer than this.
constexpr std::chrono::milliseconds kAskAgain{5};

constexpr int kLooksPerPatience = 5;

}  // namespace

LargeBodyPermit::Held LargeBodyPermit::take(Reader& reader) {
  if (!held_ && waiting_.empty() && in_all_->take()) return hold(reader);
  if (!reader.is_linked()) {
    reader.told_ = false;
    enqueue(reader);
    post_turn();
  }
  return nullptr;
}

void LargeBodyPermit::leave(Reader& reader) {
  if (reader.is_linked()) dequeue(reader);
  if (reading_ != &reader) return;
  reading_ = nullptr;
  watch_.cancel();
}

void LargeBodyPermit::enqueue(Reader& reader) {
  auto behind = waiting_.end();
  if (!reader.was_slow())
    behind = std::find_if(waiting_.begin(), behind, [](const Reader& waits) { return waits.was_slow(); });
  waiting_.insert(behind, reader);
  in_all_->one_waits();
}

void LargeBodyPermit::dequeue(Reader& reader) {
  waiting_.erase(waiting_.iterator_to(reader));
  in_all_->one_waits_no_more();
}

LargeBodyPermit::Held LargeBodyPermit::hold(Reader& reader) {
  held_ = true;
  reading_ = &reader;
  brought_before_ = reader.brought();
  watched_since_ = SteadyClock::now();
  watch();
  return Held(this, [self = shared_from_this()](void*) { self->given_back(); });
}

void LargeBodyPermit::given_back() {
  held_ = false;
  in_all_->give_back();
  if (!waiting_.empty()) post_turn();
}

void LargeBodyPermit::watch() {
  watch_.expires_after(in_all_->patience / kLooksPerPatience);
  watch_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error && self->reading_ != nullptr) self->look_at_holder();
  });
}

// Others may wait in another shard, of which nobody tells.
void LargeBodyPermit::look_at_holder() {
  watch();
  const SteadyTime now = SteadyClock::now();
  const auto watched = std::chrono::duration_cast<std::chrono::milliseconds>(now - watched_since_);
  if (in_all_->anybody_waits()) {
    if (watched < in_all_->patience) return;
    const std::uint64_t least =
        LargeResponses::kLeastBytesPerSecond * static_cast<std::uint64_t>(watched.count()) / 1000;
    if (reading_->brought() - brought_before_ < least) {
      reading_->too_slow();
      return;
    }
  }
  watched_since_ = now;
  brought_before_ = reading_->brought();
}

void LargeBodyPermit::post_turn() {
  if (turn_posted_) return;
  turn_posted_ = true;
  boost::asio::post(io_, [self = shared_from_this()] { self->turn(); });
}

void LargeBodyPermit::turn() {
  turn_posted_ = false;
  Reader* next = nullptr;
  if (!held_ && !waiting_.empty()) {
    if (in_all_->take()) {
      next = &waiting_.front();
      dequeue(*next);
    } else {
      try_again_soon();
    }
  }
  for (Reader& reader : waiting_) {
    if (!std::exchange(reader.told_, true)) reader.must_wait();
  }
  if (next != nullptr) next->granted(hold(*next));  // last: it may leave again
}

void LargeBodyPermit::try_again_soon() {
  if (std::exchange(retry_set_, true)) return;
  retry_.expires_after(kAskAgain);
  retry_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    self->retry_set_ = false;
    if (!error && !self->waiting_.empty()) self->turn();
  });
}

}  // namespace sessionlogd
