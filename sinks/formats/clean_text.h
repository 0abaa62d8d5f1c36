// Texts for lines that are no JSON: whatever an appliance sends, a line stays a line of valid UTF-8, and no text is
// taken for the syntax around it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/json_text.h"
#include "core/base/plain_bytes.h"
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
  [[gnu::noinline]] static void append(Text& out, std::string_view text) {
    for (std::size_t at = Bytes::append_front(out, text); at < text.size();) {
      const std::size_t run = Bytes::plain_run(text, at);
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

  // Puts a text where it has room; false: it is not all ASCII and written as it is.
  static bool put(char* to, std::string_view text) { return Bytes::copy_plain(to, text); }

 private:
  // Of ASCII what is not written as it is.
  struct Special {
    static constexpr auto kBytes = [] {
      std::array<char, Rules::kEscaped.size() + 1> bytes{'\x7F'};
      std::copy(Rules::kEscaped.begin(), Rules::kEscaped.end(), bytes.begin() + 1);
      return bytes;
    }();
  };
  using Bytes = PlainBytes<Special>;

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

// `before`, the text by the rules, and `behind`; nothing when there is no text. Inline, so that what stands around the
// text is a move or two.
template <class Rules, class Text>
[[gnu::always_inline]] inline void append_field(Text& out, std::string_view before, std::string_view text,
                                                std::string_view behind = {}) {
  if (text.empty()) return;
  out += before;
  CleanText<Rules>::append(out, text);
  out += behind;
}

// Whether a line can be ours: UTF-8, and no control character but tabs.
bool is_clean(std::string_view line);

// Of a text that CleanText has written: how many of its first bytes stay when at least `excess` have to go. No
// character and no escape is cut apart.
std::size_t kept_size(std::string_view text, std::size_t excess);

}  // namespace sessionlogd
