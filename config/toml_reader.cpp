// Header-only, so that sanitizers and fuzzers see the parser and nothing is needed at run time.
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 16
#include "config/toml_reader.h"

#include <toml++/toml.h>

#include <algorithm>

#include "config/error_list.h"
#include "config/units.h"

namespace sessionlogd {
namespace {

constexpr std::size_t kMaxTextBytes = 4u << 20;
constexpr unsigned kMaxKeyDepth = 16;

// The line of the first key with more than kMaxKeyDepth dots, or 0. toml++ limits how deep values nest but not keys
// ("a.a.a..."), and frees what they build by recursion. A dot inside a string or comment does not count, so strings are
// followed as TOML defines them.
class KeyDepthScan {
 public:
  explicit KeyDepthScan(std::string_view text) : text_(text) {}

  unsigned first_too_deep() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        skip_string(c);
        continue;
      }
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (c == '\n') ++line_;
      if (c == '.' && ++dots_ > kMaxKeyDepth) return line_;
      if (c == '\n' || c == '=' || c == ',') dots_ = 0;
      ++at_;
    }
    return 0;
  }

 private:
  void skip_string(char quote) {
    const bool long_form = text_.substr(at_, 3) == std::string(3, quote);
    at_ += long_form ? 3 : 1;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\' && quote == '"') {
        ++at_;
        if (at_ < text_.size() && text_[at_] == '\n') ++line_;
      } else if (text_[at_] == '\n') {
        if (!long_form) return;  // a syntax error, which the parser reports
        ++line_;
      } else if (text_[at_] == quote && (!long_form || closes(quote))) {
        at_ += long_form ? 3 : 1;
        return;
      }
    }
  }

  // Of up to five quotes in a row the last three close a long string.
  bool closes(char quote) const {
    return text_.substr(at_, 3) == std::string(3, quote) && (at_ + 3 >= text_.size() || text_[at_ + 3] != quote);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  unsigned line_ = 1;
  unsigned dots_ = 0;
};

TomlValue convert(const toml::node& node);

TomlTable convert_table(const toml::table& table) {
  TomlTable out;
  for (const auto& [key, node] : table) out.members.push_back({std::string(key.str()), convert(node)});
  std::ranges::sort(out.members, {}, &TomlMember::key);
  return out;
}

TomlValue convert(const toml::node& node) {
  TomlValue out;
  out.line = node.source().begin.line;
  if (const auto* text = node.as_string()) {
    out.value = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.value = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    out.value = number->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.value = boolean->get();
  } else if (const auto* array = node.as_array()) {
    TomlArray values;
    for (const toml::node& element : *array) values.push_back(convert(element));
    out.value = std::move(values);
  } else if (const auto* table = node.as_table()) {
    out.value = convert_table(*table);
  } else {
    out.value = TomlDateTime{};
  }
  return out;
}

}  // namespace

const TomlValue* TomlTable::find(std::string_view key) const {
  const auto found = std::ranges::find(members, key, &TomlMember::key);
  return found == members.end() ? nullptr : &found->value;
}

std::optional<TomlTable> parse_toml(std::string_view text, const std::string& file, ErrorList& errors) {
  if (text.size() > kMaxTextBytes) {
    errors.add(file, 0, "", "found " + std::to_string(text.size()) + " bytes, expected at most 4 MiB");
    return std::nullopt;
  }
  if (const unsigned line = KeyDepthScan(text).first_too_deep(); line != 0) {
    errors.add(file, line, "", "found a key of more than " + std::to_string(kMaxKeyDepth) + " parts, expected fewer");
    return std::nullopt;
  }
  try {
    return convert_table(toml::parse(text, file));
  } catch (const toml::parse_error& error) {
    errors.add(file, error.source().begin.line, "", "found wrong TOML syntax: " + std::string(error.description()));
    return std::nullopt;
  }
}

std::string describe(const TomlValue& value) {
  if (const auto* text = std::get_if<std::string>(&value.value)) return in_quotes(*text);
  if (const auto* integer = std::get_if<std::int64_t>(&value.value)) return std::to_string(*integer);
  if (const auto* boolean = std::get_if<bool>(&value.value)) return *boolean ? "true" : "false";
  return std::string(kind_of(value));
}

std::string_view kind_of(const TomlValue& value) {
  static constexpr std::string_view kKinds[] = {"a string", "an integer", "a fraction",      "true or false",
                                                "an array", "a table",    "a date or a time"};
  return kKinds[value.value.index()];
}

}  // namespace sessionlogd
