// The bytes of one answer, in memory that is used again for the next.
//
// A Body owns its buffer while the answer is read and parsed, then gives it back to the pool it came from. The buffer
// keeps kPadding readable bytes behind the text, as simdjson asks for, so the answer is parsed where curl put it.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace sessionlogd {

class BodyPool;
class BodyShelf;

class Body {
 public:
  static constexpr std::size_t kPadding = 64;

  Body() = default;
  Body(Body&& other) noexcept { swap(other); }
  Body& operator=(Body&& other) noexcept {
    Body moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~Body();

  // Valid until the next append() or the end of the Body; kPadding zero bytes follow it.
  std::string_view text() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }

  void append(std::string_view more);
  void reserve(std::size_t capacity);
  void clear() { size_ = 0; }

 private:
  friend class BodyPool;
  void swap(Body& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(shelf_, other.shelf_);
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;  // without the padding
  std::shared_ptr<BodyShelf> shelf_;
};

// Belongs to one shard. Keeps at most kMostKept buffers, none larger than kLargestKept: one huge answer does not stay
// in memory for good. A Body may outlive its pool; its buffer is then freed with the last of them.
class BodyPool {
 public:
  static constexpr std::size_t kMostKept = 64;
  static constexpr std::size_t kLargestKept = 1u << 20;

  BodyPool();
  Body take();

 private:
  std::shared_ptr<BodyShelf> shelf_;
};

}  // namespace sessionlogd
