#include "daemon/service/journal_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "core/base/printable.h"

namespace sessionlogd {
namespace {

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

std::vector<std::string> journal_fields(int priority, const About& about, std::string_view line) {
  std::vector<std::string> fields{fmt::format("MESSAGE={}", printable(line)), fmt::format("PRIORITY={}", priority)};
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) fields.push_back(fmt::format("{}={}", name, printable(value)));
  };
  add("SESSIONLOGD_SOURCE", about.source);
  add("SESSIONLOGD_SESSION", about.session);
  add("SESSIONLOGD_SINK", about.sink);
  if (const auto number = about.sink.empty() ? std::nullopt : errno_named(line))
    fields.push_back(fmt::format("ERRNO={}", *number));
  return fields;
}

}  // namespace sessionlogd
