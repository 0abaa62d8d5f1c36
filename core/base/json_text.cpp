#include "core/base/json_text.h"

#include <simdjson.h>

#include <array>
#include <cstdint>
#include <vector>

#include "core/base/ascii.h"
#include "core/base/line_buffer.h"
#include "core/base/plain_bytes.h"
#include "core/base/utf8.h"

namespace sessionlogd {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Four hex digits at text[at], -1 when there are none.
int hex4(std::string_view text, std::size_t at) {
  if (at + 4 > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = hex_digit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

bool is_simple_escape(char c) {
  return c == '"' || c == '\\' || c == '/' || c == 'b' || c == 'f' || c == 'n' || c == 'r' || c == 't';
}

std::optional<std::size_t> end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') return at + 1;
    if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
    if (c != '\\') continue;
    if (++at == text.size()) return std::nullopt;
    if (text[at] == 'u') {
      if (hex4(text, at + 1) < 0) return std::nullopt;
      at += 4;
    } else if (!is_simple_escape(text[at])) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> end_of_digits(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  if (at == begin) return std::nullopt;
  return at;
}

std::optional<std::size_t> end_of_number(std::string_view text, std::size_t at) {
  if (at < text.size() && text[at] == '-') ++at;
  const std::size_t first = at;
  auto end = end_of_digits(text, at);
  if (!end || (text[first] == '0' && *end > first + 1)) return std::nullopt;
  if (*end < text.size() && text[*end] == '.') end = end_of_digits(text, *end + 1);
  if (end && *end < text.size() && (text[*end] == 'e' || text[*end] == 'E')) {
    std::size_t exponent = *end + 1;
    if (exponent < text.size() && (text[exponent] == '+' || text[exponent] == '-')) ++exponent;
    end = end_of_digits(text, exponent);
  }
  return end;
}

std::optional<std::size_t> end_of_scalar(std::string_view text, std::size_t at) {
  if (text[at] == '"') return end_of_string(text, at);
  if (text[at] == '-' || is_digit(text[at])) return end_of_number(text, at);
  for (const std::string_view word : {"true", "false", "null"}) {
    if (text.substr(at, word.size()) == word) return at + word.size();
  }
  return std::nullopt;
}

// Whether the value text[begin, end) cannot go on behind `end`: of a number cut short the rest is unknown, and "truex"
// is no true.
bool ends_here(std::string_view text, std::size_t begin, std::size_t end) {
  if (text[begin] == '"' || text[begin] == '{' || text[begin] == '[') return true;
  return end < text.size() && (is_white_space(text[end]) || text[end] == ',' || text[end] == ']' || text[end] == '}');
}

void append_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | (point >> 6));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | (point >> 12));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (point >> 18));
    out += static_cast<char>(0x80 | ((point >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (point & 0x3F));
  }
}

char simple_escape(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return c;  // '"', '\\', '/'
  }
}

// Appends what the \u escape at text[at] stands for and returns the position behind it.
std::size_t append_unicode_escape(std::string& out, std::string_view text, std::size_t at, int unit) {
  at += 6;
  const bool high = unit >= 0xD800 && unit <= 0xDBFF;
  if (high && at + 1 < text.size() && text[at] == '\\' && text[at + 1] == 'u') {
    const int low = hex4(text, at + 2);
    if (low >= 0xDC00 && low <= 0xDFFF) {
      append_utf8(
          out, 0x10000u + (static_cast<std::uint32_t>(unit - 0xD800) << 10) + static_cast<std::uint32_t>(low - 0xDC00));
      return at + 6;
    }
  }
  if (unit >= 0xD800 && unit <= 0xDFFF) {
    out += kReplacement;
  } else {
    append_utf8(out, static_cast<std::uint32_t>(unit));
  }
  return at;
}

// Of ASCII what must be escaped in a JSON string, beside control characters.
struct JsonSpecial {
  static constexpr std::array kBytes = {'"', '\\'};
};
using JsonBytes = PlainBytes<JsonSpecial>;

template <class Text>
void append_escaped(Text& out, char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
  }
}

}  // namespace

bool is_json(std::string_view text) {
  text = without_byte_order_mark(text);
  const std::size_t begin = skip_white_space(text, 0);
  if (begin == text.size()) return false;
  const auto end = end_of_value(text, begin);
  return end && skip_white_space(text, *end) == text.size();
}

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

bool is_valid_literal(std::string_view token) {
  return !token.empty() && token.front() != '"' && end_of_scalar(token, 0) == token.size();
}

// One loop over all levels: `open` remembers only whether each level is an object, `want` what the grammar allows next.
std::optional<std::size_t> end_of_value(std::string_view text, std::size_t at) {
  std::vector<bool> open;
  enum class Want { kValue, kValueOrEnd, kKey, kKeyOrEnd, kCommaOrEnd } want = Want::kValue;
  for (;;) {
    at = skip_white_space(text, at);
    if (at >= text.size()) return std::nullopt;
    const char c = text[at];

    const bool closes = (c == '}' || c == ']') && !open.empty() && open.back() == (c == '}');
    if (closes && (want == Want::kCommaOrEnd || (c == '}' ? want == Want::kKeyOrEnd : want == Want::kValueOrEnd))) {
      open.pop_back();
      ++at;
      if (open.empty()) return at;
      want = Want::kCommaOrEnd;
      continue;
    }
    switch (want) {
      case Want::kCommaOrEnd:
        if (c != ',') return std::nullopt;
        ++at;
        want = open.back() ? Want::kKey : Want::kValue;
        break;
      case Want::kKey:
      case Want::kKeyOrEnd: {
        if (c != '"') return std::nullopt;
        const auto end = end_of_string(text, at);
        if (!end) return std::nullopt;
        at = skip_white_space(text, *end);
        if (at >= text.size() || text[at] != ':') return std::nullopt;
        ++at;
        want = Want::kValue;
        break;
      }
      case Want::kValue:
      case Want::kValueOrEnd:
        if (c == '{' || c == '[') {
          open.push_back(c == '{');
          ++at;
          want = c == '{' ? Want::kKeyOrEnd : Want::kValueOrEnd;
          break;
        }
        const auto end = end_of_scalar(text, at);
        if (!end) return std::nullopt;
        at = *end;
        if (open.empty()) return at;
        want = Want::kCommaOrEnd;
        break;
    }
  }
}

bool append_decoded(std::string& out, std::string_view string_token) {
  const std::size_t before = out.size();
  const std::string_view text = inside_quotes(string_token);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t run = JsonBytes::plain_run(text, at);
    out.append(text, at, run - at);
    at = run;
    if (at == text.size()) break;
    if (text[at] == '\\') {
      const int unit = at + 1 < text.size() && text[at + 1] == 'u' ? hex4(text, at + 2) : -1;
      if (unit >= 0) {
        at = append_unicode_escape(out, text, at, unit);
      } else if (at + 1 < text.size() && is_simple_escape(text[at + 1])) {
        out += simple_escape(text[at + 1]);
        at += 2;
      } else {
        out.resize(before);
        return false;
      }
    } else if (const std::size_t length = utf8_length(text.substr(at))) {
      out.append(text, at, length);
      at += length;
    } else {
      out += kReplacement;
      ++at;
    }
  }
  return true;
}

template <class Text>
void append_json_string(Text& out, std::string_view text) {
  out += '"';
  for (std::size_t at = JsonBytes::append_front(out, text); at < text.size();) {
    const std::size_t run = JsonBytes::plain_run(text, at);
    out.append(text.data() + at, run - at);
    at = run;
    if (at == text.size()) break;
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      append_escaped(out, text[at++]);
    } else if (const std::size_t length = utf8_length(text.substr(at))) {
      out.append(text.data() + at, length);
      at += length;
    } else {
      out += kReplacement;
      ++at;
    }
  }
  out += '"';
}
template void append_json_string(std::string& out, std::string_view text);
template void append_json_string(LineBuffer& out, std::string_view text);

bool JsonCursor::at_end() { return peek() == '\0' && at_ >= text_.size(); }

bool JsonCursor::enter(char open) {
  if (peek() != open) return false;
  ++at_;
  first_ = true;
  return true;
}

std::optional<std::string_view> JsonCursor::next_key() {
  char c = peek();
  if (c == '}') {
    ++at_;
    first_ = false;
    return std::nullopt;
  }
  if (!first_) {
    if (c != ',') return fail(), std::nullopt;
    ++at_;
    c = peek();
  }
  first_ = false;
  if (c != '"') return fail(), std::nullopt;
  const auto end = end_of_string(text_, at_);
  if (!end) return fail(), std::nullopt;
  const std::string_view key = text_.substr(at_, *end - at_);
  at_ = *end;
  if (peek() != ':') return fail(), std::nullopt;
  ++at_;
  return key;
}

bool JsonCursor::next_element() {
  const char c = peek();
  if (c == ']') {
    ++at_;
    first_ = false;
    return false;
  }
  if (!first_) {
    if (c != ',') return fail();
    ++at_;
    if (peek() == ']') return fail();
  }
  first_ = false;
  return peek() != '\0' || fail();
}

std::optional<std::string_view> JsonCursor::take_value() {
  at_ = skip_white_space(text_, at_);
  const auto end = end_of_value(text_, at_);
  if (!end || !ends_here(text_, at_, *end)) return fail(), std::nullopt;
  const std::string_view value = text_.substr(at_, *end - at_);
  at_ = *end;
  return value;
}

}  // namespace sessionlogd
