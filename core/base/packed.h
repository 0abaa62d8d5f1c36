// A number that takes no more bytes than it has, wherever it stands: between others its alignment would cost more, and
// of some there are millions.
#pragma once

#include <array>
#include <bit>
#include <cstddef>

namespace sessionlogd {

template <class T>
class Packed {
 public:
  Packed(T value) : bytes_(std::bit_cast<Bytes>(value)) {}
  operator T() const { return std::bit_cast<T>(bytes_); }

 private:
  using Bytes = std::array<std::byte, sizeof(T)>;
  Bytes bytes_;
};

}  // namespace sessionlogd
