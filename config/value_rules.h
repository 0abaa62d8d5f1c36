// What a value of a configuration must look like: rules for TableReader::read(), from a TOML value to what Settings and
// Dialect hold. Each throws ValueError, whose text says what was found and what was expected.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/secret.h"
#include "config/toml_reader.h"
#include "config/units.h"
#include "config/value_error.h"

namespace sessionlogd {

template <class T>
using Rule = std::function<T(const TomlValue&)>;

bool boolean(const TomlValue& value);

// A string without control characters, since nearly all of them end in a request, a header or a log line.
std::string text(const TomlValue& value);
std::string filled_text(const TomlValue& value);  // and not empty

std::vector<std::string> texts(const TomlValue& value);  // an array of filled_text

std::vector<std::string> filled_texts(const TomlValue& value);  // at least one, and each once

std::string identifier(const TomlValue& value);  // [A-Za-z0-9._-]{1,64}
bool is_identifier(std::string_view word);

std::string absolute_path(const TomlValue& value);
std::string readable_file(const TomlValue& value);  // absolute, regular, and we may read it now

// A reference to a secret; then also one which can be read now. Neither the value nor what is no reference is ever
// repeated.
Secret secret_reference(const TomlValue& value);
Secret readable_secret(const TomlValue& value);
Secret readable_token(const TomlValue& value);  // and may stand in a header

Rule<std::uint64_t> integer_between(std::uint64_t least, std::uint64_t most);
Rule<std::chrono::milliseconds> duration_between(std::chrono::milliseconds least, std::chrono::milliseconds most);
Rule<std::size_t> size_between(std::uint64_t least, std::uint64_t most);
double rate(const TomlValue& value);

// One of a few words.
template <class T>
Rule<T> word(std::vector<std::pair<std::string_view, T>> words) {
  return [words = std::move(words)](const TomlValue& value) {
    const auto* found = std::get_if<std::string>(&value.value);
    std::string expected;
    for (const auto& [name, meaning] : words) {
      if (found != nullptr && *found == name) return meaning;
      expected += (expected.empty() ? "" : " or ") + in_quotes(name);
    }
    throw ValueError(describe(value), expected);
  };
}

}  // namespace sessionlogd
