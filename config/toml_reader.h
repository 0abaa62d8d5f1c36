// TOML text as a plain tree with line numbers. The only door to toml++.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sessionlogd {

class ErrorList;
struct TomlValue;
struct TomlMember;

using TomlArray = std::vector<TomlValue>;

struct TomlTable {
  std::vector<TomlMember> members;  // as parse_toml() makes it, in alphabetical order of their keys

  const TomlValue* find(std::string_view key) const;
  bool operator==(const TomlTable&) const = default;
};

struct TomlDateTime {  // no key takes one
  bool operator==(const TomlDateTime&) const = default;
};

struct TomlValue {
  unsigned line = 0;
  std::variant<std::string, std::int64_t, double, bool, TomlArray, TomlTable, TomlDateTime> value;

  bool operator==(const TomlValue&) const = default;
};

struct TomlMember {
  std::string key;
  TomlValue value;

  bool operator==(const TomlMember&) const = default;
};

// The document's root table, or nothing and one mistake added to `errors`. Texts over 4 MiB and absurdly deep ones are
// refused: no input exhausts the stack.
std::optional<TomlTable> parse_toml(std::string_view text, const std::string& file, ErrorList& errors);

// How a value is called in a message: strings and numbers as written, the rest by kind.
std::string describe(const TomlValue& value);

// The kind only, for values that may be secrets: "a string", "an integer".
std::string_view kind_of(const TomlValue& value);

}  // namespace sessionlogd
