// XXH3 over numbers and texts, the lengths of the texts included: what a row says of itself.
//
// What is added is copied into one buffer, which is used again: for rows of some tens of bytes that takes half the time
// of XXH3's streaming interface, and of appending to a string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace sessionlogd {

class Checksum {
 public:
  Checksum& add(std::int64_t number) {
    put(&number, sizeof(number));
    return *this;
  }
  Checksum& add(std::string_view text) {
    put(text.data(), text.size());
    return add(static_cast<std::int64_t>(text.size()));
  }

  // Of all that was added since the last call. The state of a file sink keeps these numbers: they never change.
  std::int64_t take();

 private:
  void put(const void* bytes, std::size_t size) {
    if (size > buffer_.size() - used_) buffer_.resize(2 * buffer_.size() + size);
    if (size != 0) std::memcpy(buffer_.data() + used_, bytes, size);
    used_ += size;
  }

  std::vector<char> buffer_;
  std::size_t used_ = 0;
};

}  // namespace sessionlogd
