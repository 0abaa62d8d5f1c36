#include "core/http/large_body_permit.h"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace sessionlogd {
namespace {

// Another shard's permit comes back without a word to us; large answers take longer than this.
constexpr std::chrono::milliseconds kAskAgain{5};

}  // namespace

LargeBodyPermit::Held LargeBodyPermit::take(Reader& reader) {
  if (!held_ && waiting_.empty() && in_all_->take()) return hold();
  if (!reader.is_linked()) {
    reader.told_ = false;
    waiting_.push_back(reader);
    post_turn();
  }
  return nullptr;
}

void LargeBodyPermit::leave(Reader& reader) {
  if (reader.is_linked()) waiting_.erase(waiting_.iterator_to(reader));
}

LargeBodyPermit::Held LargeBodyPermit::hold() {
  held_ = true;
  return Held(this, [self = shared_from_this()](void*) { self->given_back(); });
}

void LargeBodyPermit::given_back() {
  held_ = false;
  in_all_->give_back();
  if (!waiting_.empty()) post_turn();
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
      waiting_.pop_front();
    } else {
      try_again_soon();
    }
  }
  for (Reader& reader : waiting_) {
    if (!std::exchange(reader.told_, true)) reader.must_wait();
  }
  if (next != nullptr) next->granted(hold());  // last: it may leave again
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
