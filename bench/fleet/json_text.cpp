#include "bench/fleet/json_text.h"

#include <fmt/format.h>

#include <iterator>

namespace fleet {

namespace {

struct Unit {
  char32_t code;
  std::size_t bytes;
};

constexpr char32_t kBadByte = 0x110000;  // beyond all there is

std::size_t length_by_lead(unsigned lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
}

// The model writes its texts itself, so there are no overlong forms to look for.
Unit first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  const std::size_t length = length_by_lead(lead);
  if (length == 0 || text.size() < length) return {kBadByte, 1};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0u) != 0x80) return {kBadByte, 1};
  }
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xe0) return {(lead & 0x1fu) << 6 | (byte(1) & 0x3fu), 2};
  if (lead < 0xf0) return {(lead & 0x0fu) << 12 | (byte(1) & 0x3fu) << 6 | (byte(2) & 0x3fu), 3};
  return {(lead & 0x07u) << 18 | (byte(1) & 0x3fu) << 12 | (byte(2) & 0x3fu) << 6 | (byte(3) & 0x3fu), 4};
}

bool is_surrogate(char32_t code) { return code >= 0xd800 && code <= 0xdfff; }

void append_escape(std::string& to, char32_t code, bool upper) {
  const auto unit = [&](unsigned value) {
    upper ? fmt::format_to(std::back_inserter(to), "\\u{:04X}", value)
          : fmt::format_to(std::back_inserter(to), "\\u{:04x}", value);
  };
  if (code < 0x10000) return unit(code);
  unit(0xd800 + ((code - 0x10000) >> 10));
  unit(0xdc00 + ((code - 0x10000) & 0x3ff));
}

char short_escape(char32_t code) {
  switch (code) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '\n':
      return 'n';
    case '\t':
      return 't';
    case '\r':
      return 'r';
    default:
      return 0;
  }
}

template <class Wants>  // Wants(code) -> bool: escape this one as \uXXXX although it need not be
void append(std::string& to, std::string_view text, bool upper, Wants wants) {
  to += '"';
  while (!text.empty()) {
    const Unit unit = first_of(text);
    if (unit.code == kBadByte) {
      to += text.front();
    } else if (is_surrogate(unit.code) || wants(unit.code)) {
      append_escape(to, unit.code, upper);
    } else if (const char escape = short_escape(unit.code)) {
      to += '\\';
      to += escape;
    } else if (unit.code < 0x20) {
      append_escape(to, unit.code, upper);
    } else {
      to.append(text.substr(0, unit.bytes));
    }
    text.remove_prefix(unit.bytes);
  }
  to += '"';
}

}  // namespace

void append_json(std::string& to, std::string_view text) {
  append(to, text, false, [](char32_t) { return false; });
}

void append_json_respelled(std::string& to, std::string_view text, Random& random) {
  const double share = random.chance(0.5) ? 0.5 : 0.02;
  append(to, text, random.chance(0.5), [&](char32_t code) { return random.chance(code < 0x80 ? share / 10 : share); });
}

std::string as_owed(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Unit unit = first_of(text);
    out.append(is_surrogate(unit.code) || unit.code == kBadByte ? std::string_view("\xef\xbf\xbd")
                                                                : text.substr(0, unit.bytes));
    text.remove_prefix(unit.bytes);
  }
  return out;
}

std::string in_one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n' || c == '\r') {
      out += c == '\n' ? "\\n" : "\\r";
    } else if ((byte < 0x20 && c != '\t') || byte == 0x7f) {
      out += "\xef\xbf\xbd";
    } else {
      out += c;
    }
  }
  return out;
}

std::string hash_of(std::string_view text) {  // FNV-1a
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

}  // namespace fleet
