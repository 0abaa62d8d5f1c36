// A line that is put together of many small pieces, in memory at hand, and appended to a string at once: the string
// would look for room, and end itself anew, for each of them. Kept from line to line: the compiler is told to clear
// what lies on the stack.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace sessionlogd {

class LineBuffer {
 public:
  static constexpr std::size_t kRoom = 4'096;

  // `out` outlives this.
  explicit LineBuffer(std::string& out) : out_(out) {}
  LineBuffer(const LineBuffer&) = delete;
  LineBuffer& operator=(const LineBuffer&) = delete;

  // Inline, so that a text of known size is a move or two.
  [[gnu::always_inline]] void append(const char* text, std::size_t size) {
    if (size > room()) return append_large(text, size);
    if (size > 0) std::memcpy(end_, text, size);  // of an empty view the text may be nullptr
    end_ += size;
  }
  [[gnu::always_inline]] LineBuffer& operator+=(std::string_view text) {
    append(text.data(), text.size());
    return *this;
  }
  [[gnu::always_inline]] LineBuffer& operator+=(char c) {
    append(&c, 1);
    return *this;
  }

  // Where so many bytes may be put at once, to be added() then; nullptr: so many have no room. Valid until then.
  char* room_for(std::size_t size) {
    if (size > kRoom) return nullptr;
    if (size > room()) flush();
    return end_;
  }
  void added(std::size_t size) { end_ += size; }

  // What was appended stands in the string.
  void flush() {
    out_.append(bytes_.data(), static_cast<std::size_t>(end_ - bytes_.data()));
    end_ = bytes_.data();
  }

 private:
  std::size_t room() const { return static_cast<std::size_t>(bytes_.data() + bytes_.size() - end_); }
  void append_large(const char* text, std::size_t size) {
    flush();
    out_.append(text, size);
  }

  std::string& out_;
  std::array<char, kRoom> bytes_;
  char* end_ = bytes_.data();
};

}  // namespace sessionlogd
