#include "config/value_rules.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace sessionlogd {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

const std::string& string_or(const TomlValue& value, std::string_view expected) {
  const auto* found = std::get_if<std::string>(&value.value);
  if (found == nullptr) throw ValueError(describe(value), expected);
  return *found;
}

}  // namespace

bool boolean(const TomlValue& value) {
  const auto* found = std::get_if<bool>(&value.value);
  if (found == nullptr) throw ValueError(describe(value), "true or false");
  return *found;
}

std::string text(const TomlValue& value) {
  const std::string& found = string_or(value, "a string");
  if (std::ranges::any_of(found, is_control)) throw ValueError(describe(value), "a string without control characters");
  return found;
}

std::string filled_text(const TomlValue& value) {
  std::string found = text(value);
  if (found.empty()) throw ValueError("an empty string", "some text");
  return found;
}

std::vector<std::string> texts(const TomlValue& value) {
  const auto* array = std::get_if<TomlArray>(&value.value);
  if (array == nullptr) throw ValueError(describe(value), "an array of strings");
  std::vector<std::string> out;
  for (const TomlValue& element : *array) out.push_back(filled_text(element));
  return out;
}

std::vector<std::string> filled_texts(const TomlValue& value) {
  std::vector<std::string> found = texts(value);
  if (found.empty()) throw ValueError("an empty array", "at least one string, or no such key");
  std::vector<std::string> sorted = found;
  std::ranges::sort(sorted);
  if (const auto twice = std::ranges::adjacent_find(sorted); twice != sorted.end()) {
    throw ValueError(in_quotes(*twice) + " twice", "each once");
  }
  return found;
}

bool is_identifier(std::string_view word) {
  if (word.empty() || word.size() > 64) return false;
  return word.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == word.npos;
}

std::string identifier(const TomlValue& value) {
  constexpr std::string_view kExpected = "1 to 64 letters, digits, \".\", \"_\" or \"-\"";
  const std::string& found = string_or(value, kExpected);
  if (!is_identifier(found)) throw ValueError(describe(value), kExpected);
  return found;
}

std::string absolute_path(const TomlValue& value) {
  std::string found = text(value);
  if (!found.starts_with('/')) throw ValueError(describe(value), "an absolute path");
  return found;
}

std::string readable_file(const TomlValue& value) {
  std::string path = absolute_path(value);
  std::error_code error;
  const bool regular = std::filesystem::is_regular_file(path, error);
  if (!error && !regular) throw ValueError(describe(value) + " (not a regular file)", "a file that can be read");
  errno = 0;
  if (!error && !std::ifstream(path)) error.assign(errno, std::generic_category());
  if (error) throw ValueError(describe(value) + " (" + error.message() + ")", "a file that can be read");
  return path;
}

Secret secret_reference(const TomlValue& value) {
  const auto* reference = std::get_if<std::string>(&value.value);
  if (reference == nullptr) {
    throw ValueError(kind_of(value), R"("file:/path", "env:NAME" or "credential:NAME")");
  }
  return Secret::parse(*reference);
}

Secret readable_secret(const TomlValue& value) {
  Secret secret = secret_reference(value);
  (void)secret.read();
  return secret;
}

Secret readable_token(const TomlValue& value) {
  Secret secret = secret_reference(value);
  const std::string token = secret.read();
  if (std::ranges::any_of(token, is_control)) {
    throw SecretError("found control characters in " + secret.reference() + ", expected one line of text");
  }
  return secret;
}

Rule<std::uint64_t> integer_between(std::uint64_t least, std::uint64_t most) {
  return [=](const TomlValue& value) {
    const auto* found = std::get_if<std::int64_t>(&value.value);
    if (found == nullptr || *found < 0 || static_cast<std::uint64_t>(*found) < least ||
        static_cast<std::uint64_t>(*found) > most) {
      throw ValueError(describe(value), "an integer from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return static_cast<std::uint64_t>(*found);
  };
}

Rule<std::chrono::milliseconds> duration_between(std::chrono::milliseconds least, std::chrono::milliseconds most) {
  return [=](const TomlValue& value) {
    const std::chrono::milliseconds found =
        parse_duration(string_or(value, R"(a duration like "250ms", "5s" or "1h")"));
    if (found < least || found > most) {
      throw ValueError(describe(value), "a duration from " + format_duration(least) + " to " + format_duration(most));
    }
    return found;
  };
}

Rule<std::size_t> size_between(std::uint64_t least, std::uint64_t most) {
  return [=](const TomlValue& value) {
    const std::uint64_t found = parse_size(string_or(value, R"(a size like "64KiB" or "8MiB")"));
    if (found < least || found > most) {
      throw ValueError(describe(value), "a size from " + format_size(least) + " to " + format_size(most));
    }
    return static_cast<std::size_t>(found);
  };
}

double rate(const TomlValue& value) { return parse_rate(string_or(value, R"(a rate like "20/s")")); }

}  // namespace sessionlogd
