// Finds and copies what can be written as it is, eight bytes at once: most texts are all of that kind.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

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

  static bool is_plain(std::string_view text) {
    if (text.size() < kWord) return plain_run(text, 0) == text.size();
    std::uint64_t found = 0;
    const auto look_at = [&](std::size_t at) {
      const std::uint64_t bytes = load(text.data() + at);
      found |= special(bytes) | bytes;
    };
    for (std::size_t at = 0; text.size() - at > kWord; at += kWord) look_at(at);
    look_at(text.size() - kWord);
    return (found & kHighBits) == 0;
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
    const auto equal_to = [bytes](char c) {
      const std::uint64_t word = bytes ^ kEach * static_cast<unsigned char>(c);
      return (word - kEach) & ~word;
    };
    std::uint64_t found = (bytes - kEach * 0x20) & ~bytes;
    for (const char c : Special::kBytes) found |= equal_to(c);
    return found & kHighBits;
  }

  struct Copied {
    std::size_t size;
    bool is_ascii;
  };

  // Copies the text up to its first special byte; what lies behind it in `to` is undefined.
  static Copied copy_front(char* to, std::string_view text) {
    std::uint64_t seen = 0;
    const auto copied = [&seen](std::size_t size) { return Copied{size, (seen & kHighBits) == 0}; };
    std::size_t at = 0;
    if (text.size() < kWord) {
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
