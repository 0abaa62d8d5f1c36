// Texts for lines that are no JSON: whatever an appliance sends, a line stays a line of valid UTF-8, and no text is
// taken for the syntax around it.
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
#include "core/base/utf8.h"

namespace sessionlogd {

// Appends a text by `Rules`, which say what is written for what cannot stand in it as it is:
//   kEscaped                                 these get a backslash before them
//   kLineFeed, kCarriageReturn, kTab         for each of these
//   kControl                                 for every other control character of C0, and DEL
// Bytes that are no UTF-8 become U+FFFD. `Text` is std::string or LineBuffer.
template <class Rules>
class CleanText {
 public:
  template <class Text>
  static void append(Text& out, std::string_view text) {
    for (std::size_t at = append_front(out, text); at < text.size();) {
      const std::size_t run = plain_run(text, at);
      out.append(text.data() + at, run - at);
      at = run;
      if (at == text.size()) break;
      if (const auto c = static_cast<unsigned char>(text[at]); c < 0x80) {
        append_special(out, text[at++]);
      } else if (const std::size_t length = utf8_length(text.substr(at))) {
        out.append(text.data() + at, length);
        at += length;
      } else {
        out += kReplacement;
        ++at;
      }
    }
  }

  // Whether every byte of it is written as it is. Texts that are not all ASCII are not looked at further.
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

 private:
  static constexpr std::size_t kWord = sizeof(std::uint64_t);
  static constexpr std::uint64_t kEach = 0x0101010101010101, kHighBits = 0x8080808080808080;

  static constexpr std::array<bool, 256> kPlain = [] {
    std::array<bool, 256> plain{};
    for (unsigned c = 0x20; c < 0x7F; ++c)
      plain[c] = Rules::kEscaped.find(static_cast<char>(c)) == Rules::kEscaped.npos;
    return plain;
  }();

  static std::uint64_t load(const char* from) {
    std::uint64_t bytes;
    std::memcpy(&bytes, from, sizeof bytes);  // little-endian, as core/state/identity insists
    return bytes;
  }
  static std::size_t first_of(std::uint64_t found) { return static_cast<std::size_t>(std::countr_zero(found)) / 8; }

  // Of the eight bytes of a word those of ASCII that are not written as they are: their highest bit is set, perhaps
  // also in some behind them.
  static std::uint64_t special(std::uint64_t bytes) {
    const auto equal_to = [bytes](char c) {
      const std::uint64_t word = bytes ^ kEach * static_cast<unsigned char>(c);
      return (word - kEach) & ~word;
    };
    std::uint64_t found = ((bytes - kEach * 0x20) & ~bytes) | equal_to('\x7F');
    for (const char c : Rules::kEscaped) found |= equal_to(c);
    return found & kHighBits;
  }

  static std::size_t plain_run(std::string_view text, std::size_t at) {
    for (; text.size() - at >= kWord; at += kWord) {
      const std::uint64_t bytes = load(text.data() + at);
      if (const std::uint64_t found = special(bytes) | (bytes & kHighBits)) return at + first_of(found);
    }
    while (at < text.size() && kPlain[static_cast<unsigned char>(text[at])]) ++at;
    return at;
  }

  // Copies the text up to the first byte of ASCII that is special; what lies behind it in `to` is undefined.
  static std::size_t copy_front(char* to, std::string_view text, std::uint64_t& seen) {
    std::size_t at = 0;
    if (text.size() < kWord) {
      for (; at < text.size(); ++at) {
        const auto c = static_cast<unsigned char>(text[at]);
        if (c < 0x80 && !kPlain[c]) break;
        seen |= c;
        to[at] = text[at];
      }
      return at;
    }
    const auto copy_word = [&](std::size_t from) {
      const std::uint64_t bytes = load(text.data() + from);
      std::memcpy(to + from, &bytes, sizeof bytes);
      seen |= bytes;
      return special(bytes);
    };
    for (; text.size() - at > kWord; at += kWord) {
      if (const std::uint64_t found = copy_word(at)) return at + first_of(found);
    }
    at = text.size() - kWord;
    const std::uint64_t found = copy_word(at);
    return found == 0 ? text.size() : at + first_of(found);
  }

  // Appends the front of the text, as much as has room and can stand as it is; returns how much that was. Most texts
  // are all of that kind.
  static std::size_t append_front(LineBuffer& out, std::string_view text) {
    char* to = out.room_for(text.size());
    if (to == nullptr) return 0;
    std::uint64_t seen = 0;
    const std::size_t size = copy_front(to, text, seen);
    if ((seen & kHighBits) != 0 && !is_utf8(text.substr(0, size))) return 0;
    out.added(size);
    return size;
  }
  static std::size_t append_front(std::string&, std::string_view) { return 0; }

  template <class Text>
  static void append_special(Text& out, char c) {
    switch (c) {
      case '\n':
        out += Rules::kLineFeed;
        break;
      case '\r':
        out += Rules::kCarriageReturn;
        break;
      case '\t':
        out += Rules::kTab;
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == '\x7F') {
          out += Rules::kControl;
        } else {
          out += '\\';
          out += c;
        }
    }
  }
};

// Whether a line can be ours: UTF-8, and no control character but tabs.
bool is_clean(std::string_view line);

// Of a text that CleanText has written: how many of its first bytes stay when at least `excess` have to go. No
// character and no escape is cut apart.
std::size_t kept_size(std::string_view text, std::size_t excess);

}  // namespace sessionlogd
