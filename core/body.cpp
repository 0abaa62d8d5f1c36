#include "core/body.h"

#include <algorithm>
#include <cstring>

namespace sessionlogd {

void Body::append(std::string_view more) {
  if (size_ + more.size() > capacity_ || !bytes_) {
    const std::size_t capacity = std::max<std::size_t>({capacity_ * 2, size_ + more.size(), 16u << 10});
    auto larger = std::make_unique_for_overwrite<char[]>(capacity + kPadding);
    if (size_ != 0) std::memcpy(larger.get(), bytes_.get(), size_);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }
  if (!more.empty()) std::memcpy(bytes_.get() + size_, more.data(), more.size());
  size_ += more.size();
  std::memset(bytes_.get() + size_, 0, kPadding);
}

Body::~Body() {
  if (pool_ != nullptr && bytes_) pool_->give_back(std::move(bytes_), capacity_);
}

Body BodyPool::take() {
  Body body;
  body.pool_ = this;
  if (!free_.empty()) {
    body.bytes_ = std::move(free_.back().bytes);
    body.capacity_ = free_.back().capacity;
    free_.pop_back();
  }
  return body;
}

void BodyPool::give_back(std::unique_ptr<char[]> bytes, std::size_t capacity) {
  if (capacity <= kLargestKept && free_.size() < kMostKept) free_.push_back({std::move(bytes), capacity});
}

}  // namespace sessionlogd
