#include "core/secret_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sessionlogd {
namespace {

bool holds(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

// "%41" and "%61" of either case are decoded, "+" is a blank; what is no escape stays.
std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

// What JSON writes with a backslash, as far as it is ASCII.
std::string json_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      decoded += text[i];
      continue;
    }
    if (text[++i] != 'u') {
      decoded += text[i];
      continue;
    }
    unsigned code = 0;
    const char* digits = text.data() + i + 1;
    if (i + 4 < text.size() && std::from_chars(digits, digits + 4, code, 16).ptr == digits + 4) {
      decoded += static_cast<char>(code);
      i += 4;
    }
  }
  return decoded;
}

// The characters that depend on nothing but `secret` when it stands `before` bytes (0, 1 or 2) into a group of three:
// the same whatever stands before and after it.
std::string base64_core(std::string_view secret, std::size_t before) {
  static constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string core;
  const std::size_t bits = (before + secret.size()) * 8;
  for (std::size_t bit = (before * 8 + 5) / 6 * 6; bit + 6 <= bits; bit += 6) {
    unsigned value = 0;
    for (std::size_t i = bit; i < bit + 6; ++i) {
      const auto byte = static_cast<unsigned char>(secret[i / 8 - before]);
      value = value << 1 | (byte >> (7 - i % 8) & 1);
    }
    core += kDigits[value];
  }
  return core;
}

}  // namespace

bool holds_secret(std::string_view text, std::string_view secret) {
  if (secret.empty()) return false;
  if (holds(text, secret) || holds(percent_decode(text), secret) || holds(json_decode(text), secret)) return true;
  std::string standard(text);  // the alphabet for URLs differs in two digits
  std::replace(standard.begin(), standard.end(), '-', '+');
  std::replace(standard.begin(), standard.end(), '_', '/');
  for (const std::size_t before : {0u, 1u, 2u}) {
    const std::string core = base64_core(secret, before);
    if (!core.empty() && holds(standard, core)) return true;
  }
  return false;
}

}  // namespace sessionlogd
