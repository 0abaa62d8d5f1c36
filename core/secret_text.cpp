#include "core/secret_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "core/http_headers.h"

namespace sessionlogd {
namespace {

// How often encodings are undone one around the other: a form in JSON in HTML, and one to spare.
constexpr int kLayers = 4;
constexpr std::size_t kShortestBase64 = 4;

// One character that an encoding stands for, and how long that encoding is.
struct Decoded {
  char32_t character;
  std::size_t size;
};

std::optional<char32_t> number_in(std::string_view digits, int base) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size() || value > 0x10FFFF) return std::nullopt;
  return static_cast<char32_t>(value);
}

std::optional<Decoded> with_digits(std::string_view text, std::size_t before, std::size_t count) {
  if (text.size() < before + count) return std::nullopt;
  const auto value = number_in(text.substr(before, count), 16);
  if (!value) return std::nullopt;
  return Decoded{*value, before + count};
}

// "&lt;", "&#60;", "&#x3c;"; the semicolon may be missing.
std::optional<Decoded> decode_entity(std::string_view text) {
  struct Named {
    std::string_view name;
    char32_t character;
  };
  static constexpr std::array<Named, 6> kNamed = {
      {{"&amp", '&'}, {"&lt", '<'}, {"&gt", '>'}, {"&quot", '"'}, {"&apos", '\''}, {"&nbsp", ' '}}};
  const auto ended = [&](char32_t character, std::size_t size) {
    return Decoded{character, size + (size < text.size() && text[size] == ';' ? 1 : 0)};
  };
  for (const Named& named : kNamed) {
    if (equal_ignoring_case(text.substr(0, named.name.size()), named.name))
      return ended(named.character, named.name.size());
  }
  if (!text.starts_with("&#") || text.size() < 3) return std::nullopt;
  const bool hex = text[2] == 'x' || text[2] == 'X';
  const std::size_t start = hex ? 3 : 2;
  const std::string_view digits = hex ? "0123456789abcdefABCDEF" : "0123456789";
  const std::size_t end = std::min(std::min(text.find_first_not_of(digits, start), text.size()), start + 8);
  const auto value = number_in(text.substr(start, end - start), hex ? 16 : 10);
  if (!value) return std::nullopt;
  return ended(*value, end);
}

// "\n", "\/", "\u0026", "\x26".
std::optional<Decoded> decode_backslash(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  switch (text[1]) {
    case 'u':
      return with_digits(text, 2, 4);
    case 'x':
      return with_digits(text, 2, 2);
    case 'n':
      return Decoded{'\n', 2};
    case 'r':
      return Decoded{'\r', 2};
    case 't':
      return Decoded{'\t', 2};
    default:
      return Decoded{static_cast<unsigned char>(text[1]), 2};
  }
}

std::optional<Decoded> decode_one(std::string_view text) {
  switch (text.front()) {
    case '&':
      return decode_entity(text);
    case '\\':
      return decode_backslash(text);
    case '%':
      return with_digits(text, 1, 2);
    default:
      return std::nullopt;
  }
}

// Of percent-encoding and backslashes each is a byte, of entities a character: below 0x100 the two differ, so that both
// forms of what is no ASCII are compared without the bytes that make the difference.
void append(std::string& out, char32_t character) {
  if (character < 0x80) out += static_cast<char>(character);
}

bool is_white(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// One layer of encodings is undone. Changes nothing else, so that bytes that are no escape stay.
std::string undo_escapes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto decoded = decode_one(text);
    if (decoded) append(out, decoded->character);
    if (!decoded) out += text.front();
    text.remove_prefix(decoded ? decoded->size : 1);
  }
  return out;
}

// What is compared: ASCII in lower case, without white space, which forms write as "+" and lines are broken at.
std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_white(c) || c == '+' || static_cast<unsigned char>(c) >= 0x80) continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return out;
}

std::string plain_form(std::string_view text) {
  std::string plain(text);
  for (int layer = 0; layer < kLayers; ++layer) {
    std::string undone = undo_escapes(plain);
    if (undone == plain) break;
    plain = std::move(undone);
  }
  return folded(plain);
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// Decodes every run of base64's digits, from each of the places where a group may begin, one behind the other: what
// stands before the secret moves it.
std::string undo_base64(std::string_view text) {
  std::string out;
  std::string run;
  const auto decode_run = [&] {
    if (run.size() >= kShortestBase64) {
      for (std::size_t start = 0; start < 4; ++start) {
        std::uint32_t bits = 0;
        int have = 0;
        for (std::size_t i = start; i < run.size(); ++i) {
          bits = bits << 6 | static_cast<std::uint32_t>(run[i]);
          if ((have += 6) < 8) continue;
          out += static_cast<char>(bits >> (have -= 8) & 0xFF);
        }
        out += '\n';
      }
    }
    run.clear();
  };
  for (const char c : text) {
    if (is_white(c)) continue;  // lines are broken after 64 or 76
    const int digit = base64_digit(c);
    if (digit < 0) {
      decode_run();
    } else {
      run += static_cast<char>(digit);
    }
  }
  decode_run();
  return out;
}

struct Wanted {
  std::string_view as_it_is;
  std::string plain;

  bool is_in(std::string_view text) const {
    if (text.find(as_it_is) != text.npos) return true;
    // Of a secret without a letter of ASCII nothing is left to compare: what may hold it in another form counts.
    if (plain.empty()) return text.find_first_of("%&\\=") != text.npos;
    return plain_form(text).find(plain) != std::string::npos;
  }
};

}  // namespace

bool holds_secret(std::string_view text, std::string_view secret) {
  if (secret.empty()) return false;
  const Wanted wanted{secret, plain_form(secret)};
  std::string layer(text);
  for (int depth = 0; depth < kLayers; ++depth) {
    if (wanted.is_in(layer) || wanted.is_in(undo_base64(layer))) return true;
    std::string undone = undo_escapes(layer);
    if (undone == layer) return false;
    layer = std::move(undone);
  }
  return false;
}

}  // namespace sessionlogd
