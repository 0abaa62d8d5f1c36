#include "core/base/body.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

namespace sessionlogd {
namespace {

// What a body begins with, and the least it grows by: growing may copy all of it.
constexpr std::size_t kLeastRoom = 16u << 10;

// An eighth of the share is for bodies up to this alone, as nearly all are: those that wait with up to kSmallBody of
// something endless must not make them wait, too.
constexpr std::size_t kUsualBody = 64u << 10;

}  // namespace

// Where the buffers lie between two responses, and how much of the share is taken.
class BodyShelf {
 public:
  struct Buffer {
    std::unique_ptr<char[], void (*)(char*)> bytes;
    std::size_t capacity = 0;
  };

  explicit BodyShelf(std::size_t share) : share_(share) { buffers_.reserve(BodyPool::kMostKept); }

  // What is kept counts already.
  std::pair<char*, std::size_t> take() {
    if (buffers_.empty()) return {nullptr, 0};
    Buffer last = std::move(buffers_.back());
    buffers_.pop_back();
    return {last.bytes.release(), last.capacity};
  }

  // A buffer is to grow from one capacity to another. false: there is not so much left.
  bool charge(std::size_t from, std::size_t to) {
    while (!fits(from, to) && !buffers_.empty()) {
      count(buffers_.back().capacity, 0);
      buffers_.pop_back();
    }
    if (!fits(from, to)) return false;
    count(from, to);
    return true;
  }
  // Without asking.
  void count(std::size_t from, std::size_t to) {
    bytes_ += to - from;
    beyond_usual_ += beyond_usual(to) - beyond_usual(from);
  }

  // false: the buffer is not kept.
  bool keep(char* bytes, std::size_t capacity) noexcept {
    if (capacity > kSmallBody || buffers_.size() == BodyPool::kMostKept) return false;
    buffers_.push_back({{bytes, [](char* text) { std::free(text); }}, capacity});
    return true;
  }

  std::size_t bytes() const { return bytes_; }

 private:
  static std::size_t beyond_usual(std::size_t capacity) { return capacity > kUsualBody ? capacity : 0; }
  bool fits(std::size_t from, std::size_t to) const {
    return bytes_ - from + to <= share_ &&
           (to <= kUsualBody || beyond_usual_ - beyond_usual(from) + to <= share_ - share_ / 8);
  }

  const std::size_t share_;
  std::size_t bytes_ = 0;
  std::size_t beyond_usual_ = 0;  // of that, in buffers that are larger than kUsualBody
  std::vector<Buffer> buffers_;
};

bool Body::make_room(std::size_t size, std::size_t expected) {
  if (size <= capacity_ && bytes_) return true;
  const std::size_t needed = std::max(size, expected);
  const std::size_t wanted = std::max({needed, capacity_ * 2, kLeastRoom});
  if (permit_ || !shelf_) return grow(wanted), true;
  // At once, so that it takes nothing of the share while it waits.
  if (needed > kSmallBody) return false;
  const std::size_t least = std::max(size, capacity_ + kLeastRoom);
  for (const std::size_t capacity : {std::min(wanted, kSmallBody), std::min(least, kSmallBody)}) {
    const std::size_t before = capacity_;
    if (!shelf_->charge(before, capacity)) continue;
    try {
      return grow(capacity), true;
    } catch (const std::bad_alloc&) {
      shelf_->count(capacity, before);
      throw;
    }
  }
  return false;
}

void Body::append(std::string_view more) {
  const std::size_t size = size_ + more.size();
  if (size > capacity_ || !bytes_) {
    const std::size_t before = capacity_;
    grow(std::max({size, capacity_ * 2, kLeastRoom}));
    if (shelf_ && !permit_) shelf_->count(before, capacity_);
  }
  if (!more.empty()) std::memcpy(bytes_.get() + size_, more.data(), more.size());
  filled(more.size());
}

void Body::filled(std::size_t count) {
  size_ += count;
  std::memset(bytes_.get() + size_, 0, kPadding);
}

void Body::permit(std::shared_ptr<void> large) {
  if (shelf_ && !permit_) shelf_->count(capacity_, 0);
  permit_ = std::move(large);
}

// A large buffer is moved by the kernel, page by page: there are never two of it.
void Body::grow(std::size_t capacity) {
  char* larger = static_cast<char*>(std::realloc(bytes_.get(), capacity + kPadding));
  if (larger == nullptr) throw std::bad_alloc();
  [[maybe_unused]] char* moved = bytes_.release();
  bytes_.reset(larger);
  capacity_ = capacity;
  std::memset(larger + size_, 0, kPadding);
}

Body::~Body() {
  if (!shelf_ || permit_ || !bytes_) return;
  if (shelf_->keep(bytes_.get(), capacity_)) {
    [[maybe_unused]] char* kept = bytes_.release();
  } else {
    shelf_->count(capacity_, 0);
  }
}

BodyPool::BodyPool(std::size_t share) : shelf_(std::make_shared<BodyShelf>(share)) {}

Body BodyPool::take() {
  const auto [bytes, capacity] = shelf_->take();
  Body body;
  body.bytes_.reset(bytes);
  body.capacity_ = capacity;
  body.shelf_ = shelf_;
  return body;
}

std::size_t BodyPool::bytes() const { return shelf_->bytes(); }

}  // namespace sessionlogd
