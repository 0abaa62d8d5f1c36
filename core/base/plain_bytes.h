// Finds and copies what can be written as it is, eight bytes at once: most texts are all of that kind.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/json_text.h"
#include "core/base/line_buffer.h"

namespace sessionlogd {

// Special are the control characters of C0 and `Special::kBytes`, which are of ASCII; plain is what else is of ASCII.
template <class Special>
class PlainBytes {
 public:
  // Where the next byte is that is not plain, or the text ends.
  static std::size_t plain_run(std::string_view text, std::size_t at) {
    for (; text.size() - at >= kWord; at += kWord) {
      const std::uint64_t bytes = load(text.data() + at);
      if (const std::uint64_t found = special(bytes) | (bytes & kHighBits)) return at + first_of(found);
    }
    while (at < text.size() && kPlain[static_cast<unsigned char>(text[at])]) ++at;
    return at;
  }

  // Copies a text that is written as it is; false: it is not, or not only ASCII. Then what `to` has is undefined.
  static bool copy_plain(char* to, std::string_view text) {
    const Copied front = copy_front(to, text);
    return front.is_ascii && front.size == text.size();
  }

  // Appends the front of the text, as much as has room and is plain or UTF-8; returns how much that was.
  static std::size_t append_front(LineBuffer& out, std::string_view text) {
    char* to = out.room_for(text.size());
    if (to == nullptr) return 0;
    const Copied front = copy_front(to, text);
    if (!front.is_ascii && !is_utf8(text.substr(0, front.size))) return 0;
    out.added(front.size);
    return front.size;
  }
  static std::size_t append_front(std::string&, std::string_view) { return 0; }

 private:
  static constexpr std::size_t kWord = sizeof(std::uint64_t);
  static constexpr std::uint64_t kEach = 0x0101010101010101, kHighBits = 0x8080808080808080;

  static constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (unsigned c = 0x20; c < 0x80; ++c) plain[c] = true;
    for (const char c : Special::kBytes) plain[static_cast<unsigned char>(c)] = false;
    return plain;
  }();

  static std::uint64_t load(const char* from) {
    std::uint64_t bytes;
    std::memcpy(&bytes, from, sizeof bytes);  // little-endian, as core/state/identity insists
    return bytes;
  }
  static std::size_t first_of(std::uint64_t found) { return static_cast<std::size_t>(std::countr_zero(found)) / 8; }

  // Of the eight bytes of a word the special ones: their highest bit is set, perhaps also in some behind them.
  static std::uint64_t special(std::uint64_t bytes) {
    return special_of(bytes, std::make_index_sequence<Special::kBytes.size()>());
  }
  // Not a loop, which the compiler would leave one.
  template <std::size_t... Each>
  static std::uint64_t special_of(std::uint64_t bytes, std::index_sequence<Each...>) {
    const std::uint64_t controls = (bytes - kEach * 0x20) & ~bytes;
    return (controls | ... | equal_to<Special::kBytes[Each]>(bytes)) & kHighBits;
  }
  template <char c>
  static std::uint64_t equal_to(std::uint64_t bytes) {
    if constexpr (c == '\x7F') return ((bytes & ~kHighBits) + kEach) & ~bytes;  // the last of ASCII
    const std::uint64_t word = bytes ^ kEach * static_cast<unsigned char>(c);
    return (word - kEach) & ~word;
  }

  struct Copied {
    std::size_t size;
    bool is_ascii;
  };

  // A text of less than a word, as two halves that may overlap; false: it is shorter than one, or not all plain.
  static bool copy_plain_halves(char* to, std::string_view text) {
    std::uint32_t front, back;
    if (text.size() < sizeof front) return false;
    const std::size_t at = text.size() - sizeof back;
    std::memcpy(&front, text.data(), sizeof front);
    std::memcpy(&back, text.data() + at, sizeof back);
    const std::uint64_t bytes = front | std::uint64_t{back} << 32;
    if (((special(bytes) | bytes) & kHighBits) != 0) return false;
    std::memcpy(to, &front, sizeof front);
    std::memcpy(to + at, &back, sizeof back);
    return true;
  }

  // Copies the text up to its first special byte; what lies behind it in `to` is undefined.
  static Copied copy_front(char* to, std::string_view text) {
    std::uint64_t seen = 0;
    const auto copied = [&seen](std::size_t size) { return Copied{size, (seen & kHighBits) == 0}; };
    std::size_t at = 0;
    if (text.size() < kWord) {
      if (copy_plain_halves(to, text)) return copied(text.size());
      for (; at < text.size(); ++at) {
        const auto c = static_cast<unsigned char>(text[at]);
        if (c < 0x80 && !kPlain[c]) break;
        seen |= c;
        to[at] = text[at];
      }
      return copied(at);
    }
    const auto copy_word = [&](std::size_t from) {
      const std::uint64_t bytes = load(text.data() + from);
      std::memcpy(to + from, &bytes, sizeof bytes);
      seen |= bytes;
      return special(bytes);
    };
    for (; text.size() - at > kWord; at += kWord) {
      if (const std::uint64_t found = copy_word(at)) return copied(at + first_of(found));
    }
    at = text.size() - kWord;
    const std::uint64_t found = copy_word(at);
    return copied(found == 0 ? text.size() : at + first_of(found));
  }
};

}  // namespace sessionlogd
