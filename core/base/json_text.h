// JSON as raw text: tokens cut from a response without being decoded, and the way from and to decoded strings.
//
// Stricter than it looks and more patient than a parser: the grammar of RFC 8259 is enforced, but what people really
// send beside it (an unpaired surrogate, integers of any size, bytes that are no UTF-8) is a value like any other.
// Never recurses, so nesting costs memory of one bit per level and no stack.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sessionlogd {

inline bool is_string_token(std::string_view token) { return token.size() >= 2 && token.front() == '"'; }
inline bool is_null_token(std::string_view token) { return token == "null"; }
inline bool is_number_token(std::string_view token) {
  return !token.empty() && (token.front() == '-' || (token.front() >= '0' && token.front() <= '9'));
}
inline std::string_view inside_quotes(std::string_view token) { return token.substr(1, token.size() - 2); }

inline std::string_view without_byte_order_mark(std::string_view text) {
  return text.substr(text.starts_with("\xEF\xBB\xBF") ? 3 : 0);
}

// Where the value that starts at text[at] ends (one past its last byte), white space around it not included; nullopt
// when there is no complete valid value. `at` must not point at white space.
std::optional<std::size_t> end_of_value(std::string_view text, std::size_t at);

// Whether the text is one valid value and nothing else.
bool is_json(std::string_view text);

bool is_utf8(std::string_view text);

inline bool is_white_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

inline std::size_t skip_white_space(std::string_view text, std::size_t at) {
  while (at < text.size() && is_white_space(text[at])) ++at;
  return at;
}

// Whether the token is one of true, false, null or a number of the grammar.
bool is_valid_literal(std::string_view token);

// Appends what a string token stands for, as UTF-8: escapes resolved, an unpaired surrogate and every byte that is no
// UTF-8 replaced by U+FFFD. Never fails on a token that end_of_value() accepted; of a wrong escape it returns false and
// appends nothing.
bool append_decoded(std::string& out, std::string_view string_token);

// Appends UTF-8 text as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD: what we write is always
// valid. `Text` is std::string or LineBuffer.
template <class Text>
void append_json_string(Text& out, std::string_view text);

// Reads objects and arrays member by member, from the front, without looking further than the next member: what stands
// before a fault is read before the fault is met.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view text, std::size_t at = 0) : text_(text), at_(at) {}

  // Enters the object or array that comes next. false: something else comes.
  bool enter(char open);

  // Inside an object: moves to the next member's value and gives its key token. nullopt at the end of the object (which
  // is then left) or at a fault.
  std::optional<std::string_view> next_key();

  // Inside an array: true when another element comes. false at the end (which is then left) or at a fault.
  bool next_element();

  // The value that comes next, whole, and moves behind it. nullopt at a fault; a number or word that the text or
  // anything but the end of a member cuts short is one.
  std::optional<std::string_view> take_value();

  // Inside an array: moves behind the element that comes next, of which it is known that it is valid and ends there.
  void pass_element(std::size_t end) { at_ = end; }

  // The next byte that is no white space, '\0' at the end.
  char peek() {
    at_ = skip_white_space(text_, at_);
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool faulty() const { return faulty_; }
  std::size_t position() const { return at_; }
  bool at_end();

 private:
  bool fail() {
    faulty_ = true;
    return false;
  }

  std::string_view text_;
  std::size_t at_;
  bool first_ = true;  // no member of the innermost container was read yet
  bool faulty_ = false;
};

}  // namespace sessionlogd
