#include "core/body.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace sessionlogd {

// Where the buffers lie between two answers.
class BodyShelf {
 public:
  struct Buffer {
    std::unique_ptr<char[]> bytes;
    std::size_t capacity = 0;
  };

  BodyShelf() { buffers_.reserve(BodyPool::kMostKept); }

  Buffer take() {
    if (buffers_.empty()) return {};
    Buffer last = std::move(buffers_.back());
    buffers_.pop_back();
    return last;
  }

  void give_back(Buffer buffer) noexcept {
    if (buffer.capacity <= BodyPool::kLargestKept && buffers_.size() < BodyPool::kMostKept)
      buffers_.push_back(std::move(buffer));
  }

 private:
  std::vector<Buffer> buffers_;
};

void Body::append(std::string_view more) {
  if (size_ + more.size() > capacity_ || !bytes_) {
    reserve(std::max<std::size_t>({capacity_ * 2, size_ + more.size(), 16u << 10}));
  }
  if (!more.empty()) std::memcpy(bytes_.get() + size_, more.data(), more.size());
  size_ += more.size();
  std::memset(bytes_.get() + size_, 0, kPadding);
}

void Body::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  auto larger = std::make_unique_for_overwrite<char[]>(capacity + kPadding);
  if (size_ != 0) std::memcpy(larger.get(), bytes_.get(), size_);
  std::memset(larger.get() + size_, 0, kPadding);
  bytes_ = std::move(larger);
  capacity_ = capacity;
}

Body::~Body() {
  if (shelf_ && bytes_) shelf_->give_back({std::move(bytes_), capacity_});
}

BodyPool::BodyPool() : shelf_(std::make_shared<BodyShelf>()) {}

Body BodyPool::take() {
  BodyShelf::Buffer buffer = shelf_->take();
  Body body;
  body.bytes_ = std::move(buffer.bytes);
  body.capacity_ = buffer.capacity;
  body.shelf_ = shelf_;
  return body;
}

}  // namespace sessionlogd
