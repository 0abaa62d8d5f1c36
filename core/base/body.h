// The bytes of one response, in memory that is used again for the next.
//
// A Body owns its buffer while the response is read and parsed, then gives it back to the pool it came from. The buffer
// keeps kPadding readable bytes behind the text, as simdjson asks for, so the response is parsed where it was put.
//
// The bodies of a pool share so many bytes; one that is to grow further, or past kSmallBody, needs a permit, which it
// then keeps to its end. Of one that says that it will be so large nothing is taken before it has the permit.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "core/base/memory_shares.h"

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

  // Whether `size` bytes of text have room, perhaps now. false: that needs a permit. `expected` is how large it may
  // become in the end, 0 = unknown.
  [[nodiscard]] bool make_room(std::size_t size, std::size_t expected = 0);

  // Grows as far as it must.
  void append(std::string_view more);

  // Room behind the text, and that so many bytes of it were filled.
  std::span<char> room() { return {bytes_.get() + size_, capacity_ - size_}; }
  void filled(std::size_t count);

  void clear() { size_ = 0; }

  // From now on it grows as it likes. The permit is let go when the buffer is.
  void permit(std::shared_ptr<void> large);

 private:
  friend class BodyPool;
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  void grow(std::size_t capacity);
  void swap(Body& other) noexcept {
    std::swap(permit_, other.permit_);
    std::swap(bytes_, other.bytes_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(shelf_, other.shelf_);
  }

  std::shared_ptr<void> permit_;  // let go last
  std::unique_ptr<char[], Free> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;  // without the padding
  std::shared_ptr<BodyShelf> shelf_;
};

// Belongs to one shard. Keeps at most kMostKept buffers, and what is kept and what is in use within `share` bytes: one
// huge response does not stay in memory for good. A Body may outlive its pool; its buffer is then freed with the last
// of them.
class BodyPool {
 public:
  static constexpr std::size_t kMostKept = 64;

  explicit BodyPool(std::size_t share = MemoryShares().small_bodies);
  Body take();

  // Bytes of bodies without a permit, and of buffers that are kept.
  std::size_t bytes() const;

 private:
  std::shared_ptr<BodyShelf> shelf_;
};

}  // namespace sessionlogd
