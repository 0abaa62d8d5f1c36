#include "core/api/secret_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "core/http/http_headers.h"

namespace sessionlogd {
namespace {

// How often encodings are undone one around the other: a form in JSON in HTML, and one to spare.
constexpr int kLayers = 4;
constexpr std::size_t kShortestBase64 = 4;
// What is decoded of one text, all forms together: what is made to decode into more and more ends here.
constexpr std::size_t kMostLookedAt = 4u << 20;

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

struct NamedCharacter {
  std::string_view name;
  char32_t character;
};

// Of HTML, those that are read without their semicolon, too.
constexpr std::array<NamedCharacter, 5> kOldNames = {
    {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
// Likewise: those of Latin-1. Which of its characters counts for nothing, since only ASCII is compared.
constexpr std::string_view kLatin1Names[] = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",   "ordf",
    "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",   "acute",  "micro",
    "para",   "middot", "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12", "frac34", "iquest", "agrave",
    "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",
    "igrave", "iacute", "icirc",  "iuml",   "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",
    "times",  "oslash", "ugrave", "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "szlig",  "yuml",   "divide"};
// And those that need it: HTML 5's of ASCII.
constexpr NamedCharacter kAsciiNames[] = {
    {"tab", '\t'},   {"newline", '\n'}, {"excl", '!'},   {"num", '#'},          {"dollar", '$'},   {"percnt", '%'},
    {"lpar", '('},   {"rpar", ')'},     {"ast", '*'},    {"midast", '*'},       {"plus", '+'},     {"comma", ','},
    {"period", '.'}, {"sol", '/'},      {"colon", ':'},  {"semi", ';'},         {"equals", '='},   {"quest", '?'},
    {"commat", '@'}, {"lsqb", '['},     {"lbrack", '['}, {"bsol", '\\'},        {"rsqb", ']'},     {"rbrack", ']'},
    {"hat", '^'},    {"lowbar", '_'},   {"grave", '`'},  {"lcub", '{'},         {"lbrace", '{'},   {"verbar", '|'},
    {"vert", '|'},   {"rcub", '}'},     {"rbrace", '}'}, {"verticalline", '|'}, {"underbar", '_'},
};

std::string_view letters_and_digits(std::string_view text) {
  const auto is_one = [](char c) { return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); };
  return text.substr(0, static_cast<std::size_t>(std::ranges::find_if_not(text.substr(0, 16), is_one) - text.begin()));
}

// "&lt;", "&uuml;", "&commat;", "&#60;", "&#x3c;"; the semicolon may be missing where HTML lets it.
std::optional<Decoded> decode_entity(std::string_view text) {
  const auto ended = [&](char32_t character, std::size_t size) {
    return Decoded{character, size + (size < text.size() && text[size] == ';' ? 1 : 0)};
  };
  const std::string_view word = letters_and_digits(text.substr(1));
  if (text.substr(1 + word.size()).starts_with(';')) {
    for (const auto& [name, character] : kAsciiNames) {
      if (equal_ignoring_case(word, name)) return ended(character, 1 + name.size());
    }
  }
  const auto begins_with = [&](std::string_view name) {
    return equal_ignoring_case(word.substr(0, name.size()), name);
  };
  for (const auto& [name, character] : kOldNames) {
    if (begins_with(name)) return ended(character, 1 + name.size());
  }
  for (const std::string_view name : kLatin1Names) {
    if (begins_with(name)) return ended(U'\u00A0', 1 + name.size());
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
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t next = std::min(text.find_first_of("&\\%", at), text.size());
    out += text.substr(at, next - at);
    at = next;
    if (at == text.size()) break;
    const auto decoded = decode_one(text.substr(at));
    if (decoded) append(out, decoded->character);
    if (!decoded) out += text[at];
    at += decoded ? decoded->size : 1;
  }
  return out;
}

// What is compared: ASCII in lower case, without white space, which forms write as "+" and lines are broken at, and
// without the zeros that stand between the letters of UTF-16.
std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_white(c) || c == '+' || c == '\0' || static_cast<unsigned char>(c) >= 0x80) continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
  return out;
}

std::string without_escapes(std::string_view text) {
  std::string plain(text);
  for (int layer = 0; layer < kLayers; ++layer) {
    std::string undone = undo_escapes(plain);
    if (undone == plain) break;
    plain = std::move(undone);
  }
  return plain;
}

std::string plain_form(std::string_view text) { return folded(without_escapes(text)); }

// "p=26ss", and a line that goes on behind "=". Not among the escapes: in a form "=26" is a value that begins with 26.
std::string undo_quoted_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const bool line_goes_on = text.starts_with("=\n") || text.starts_with("=\r\n");
    const auto decoded = text.front() == '=' && !line_goes_on ? with_digits(text, 1, 2) : std::nullopt;
    if (decoded) append(out, decoded->character);
    if (!decoded && !line_goes_on) out += text.front();
    text.remove_prefix(decoded ? decoded->size : 1);
  }
  return out;
}

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// Decodes a run of digits of so many bits, from each of the places where a group may begin, one behind the other: what
// stands before the secret moves it.
void decode_run(std::string_view digits, int bits_each, std::size_t places, std::string& out) {
  for (std::size_t start = 0; start < places; ++start) {
    std::uint32_t bits = 0;
    int have = 0;
    for (const char digit : digits.substr(start)) {
      bits = bits << bits_each | static_cast<std::uint32_t>(digit);
      if ((have += bits_each) < 8) continue;
      out += static_cast<char>(bits >> (have -= 8) & 0xFF);
    }
    out += '\n';
  }
}

// Every run of base64's digits that is long enough for `least` bytes.
std::string undo_base64(std::string_view text, std::size_t least) {
  const std::size_t shortest = std::max(kShortestBase64, least * 8 / 6);
  std::string out, run;
  const auto end_run = [&] {
    if (run.size() >= shortest) decode_run(run, 6, 4, out);
    run.clear();
  };
  for (const char c : text) {
    if (is_white(c)) continue;  // lines are broken after 64 or 76
    const int digit = base64_digit(c);
    if (digit < 0) {
      end_run();
    } else {
      run += static_cast<char>(digit);
    }
  }
  end_run();
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Every run of hex digits that is long enough: "70617373", "70:61:73:73", "0x70, 0x61, 0x73, 0x73".
std::string undo_hex(std::string_view text, std::size_t least) {
  const std::size_t shortest = std::max<std::size_t>(4, 2 * least);
  std::string out, run;
  const auto end_run = [&] {
    if (run.size() >= shortest) decode_run(run, 4, 2, out);
    run.clear();
  };
  for (const char c : text) {
    if (is_white(c) || c == ':' || c == '-' || c == ',') continue;
    if (const int digit = hex_digit(c); digit >= 0) {
      run += static_cast<char>(digit);
    } else if ((c == 'x' || c == 'X') && run.ends_with('\0')) {
      run.pop_back();
    } else {
      end_run();
    }
  }
  end_run();
  return out;
}

struct Wanted {
  std::string_view as_it_is;
  std::string plain;

  // `undone` is the text without its escapes.
  bool is_in(std::string_view text, std::string_view undone) const {
    if (text.find(as_it_is) != text.npos) return true;
    // Of a secret without a letter of ASCII nothing is left to compare: what may hold it in another form counts.
    if (plain.empty()) return text.find_first_of("%&\\=") != text.npos;
    if (folded(undone).find(plain) != std::string::npos) return true;
    const std::string lines = text.find('=') != text.npos ? undo_quoted_printable(text) : "";
    return lines.size() < text.size() && plain_form(lines).find(plain) != std::string::npos;
  }
};

// Looks at a text, at what its runs of digits decode to, at what is in that, and so on.
class Search {
 public:
  explicit Search(std::string_view secret) : wanted_{secret, plain_form(secret)} {}

  bool finds_in(std::string_view text, int depth = 0) {
    if (text.size() > left_) return true;  // what was not looked at may hold it
    left_ -= text.size();
    const std::string undone = without_escapes(text);
    if (wanted_.is_in(text, undone)) return true;
    if (depth == kLayers) return false;
    return finds_encoded_in(text, depth) || (undone != text && finds_encoded_in(undone, depth));
  }

 private:
  bool finds_encoded_in(std::string_view text, int depth) {
    for (const auto undo : {undo_base64, undo_hex}) {
      const std::string undone = undo(text, wanted_.plain.size());
      if (!undone.empty() && finds_in(undone, depth + 1)) return true;
    }
    return false;
  }

  const Wanted wanted_;
  std::size_t left_ = kMostLookedAt;
};

}  // namespace

bool holds_secret(std::string_view text, std::string_view secret) {
  return !secret.empty() && Search(secret).finds_in(text);
}

}  // namespace sessionlogd
