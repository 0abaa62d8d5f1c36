#include "daemon/journal_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

namespace sessionlogd {
namespace {

struct Key {
  std::string_view word, field;
};
constexpr Key kKeys[] = {
    {"source=", "SESSIONLOGD_SOURCE"}, {"session=", "SESSIONLOGD_SESSION"}, {"sink=", "SESSIONLOGD_SINK"}};

constexpr int kLastErrno = 133;

// The longest texts first: one may be the beginning of another.
std::vector<std::pair<std::string, int>> system_errors() {
  std::vector<std::pair<std::string, int>> errors;
  for (int number = 1; number <= kLastErrno; ++number) {
    std::string text = std::generic_category().message(number);
    if (!text.starts_with("Unknown error")) errors.emplace_back(": " + std::move(text), number);
  }
  std::ranges::stable_sort(errors, [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
  return errors;
}

std::optional<int> errno_named(std::string_view line) {
  static const auto errors = system_errors();
  const auto named =
      std::ranges::find_if(errors, [&](const auto& error) { return line.find(error.first) != line.npos; });
  if (named == errors.end()) return std::nullopt;
  return named->second;
}

}  // namespace

std::vector<std::string> journal_fields(int priority, std::string_view line) {
  std::vector<std::string> fields{fmt::format("MESSAGE={}", line), fmt::format("PRIORITY={}", priority)};
  bool of_sink = false;
  for (std::string_view rest = line;;) {
    const auto key = std::ranges::find_if(kKeys, [&](const Key& one) { return rest.starts_with(one.word); });
    if (key == std::end(kKeys)) break;
    const std::string_view word = rest.substr(0, rest.find(' '));
    std::string_view value = word.substr(key->word.size());
    if (value.ends_with(':')) value.remove_suffix(1);
    fields.push_back(fmt::format("{}={}", key->field, value));
    of_sink = of_sink || key->word == "sink=";
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  if (const auto number = of_sink ? errno_named(line) : std::nullopt)
    fields.push_back(fmt::format("ERRNO={}", *number));
  return fields;
}

}  // namespace sessionlogd
