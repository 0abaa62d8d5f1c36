#include "core/large_body_permit.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace sessionlogd {

bool LargeBodyPermit::take(Reader& reader) {
  if (holder_ == &reader) return true;
  if (holder_ == nullptr && waiting_.empty()) {
    holder_ = &reader;
    return true;
  }
  if (!reader.is_linked()) {
    reader.told_ = false;
    waiting_.push_back(reader);
    post_turn();
  }
  return false;
}

void LargeBodyPermit::leave(Reader& reader) {
  if (reader.is_linked()) waiting_.erase(waiting_.iterator_to(reader));
  if (holder_ != &reader) return;
  holder_ = nullptr;
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
  if (holder_ == nullptr && !waiting_.empty()) {
    next = holder_ = &waiting_.front();
    waiting_.pop_front();
  }
  for (Reader& reader : waiting_) {
    if (!std::exchange(reader.told_, true)) reader.must_wait();
  }
  if (next != nullptr) next->granted();  // last: it may leave again
}

}  // namespace sessionlogd
