#include "config/error_list.h"

#include <algorithm>
#include <tuple>

namespace sessionlogd {

std::string ConfigError::to_string() const {
  std::string out = file;
  if (line != 0) out += ":" + std::to_string(line);
  out += ": ";
  if (!key.empty()) out += key + ": ";
  return out + message;
}

void ErrorList::add(std::string_view file, unsigned line, std::string_view key, std::string_view message) {
  errors_.emplace_back(place_of(file), ConfigError{std::string(file), line, std::string(key), std::string(message)});
}

std::vector<ConfigError> ErrorList::in_order() const {
  auto sorted = errors_;
  std::ranges::stable_sort(sorted, {}, [](const auto& placed) { return std::tuple(placed.first, placed.second.line); });
  std::vector<ConfigError> out;
  for (auto& [place, error] : sorted) out.push_back(std::move(error));
  return out;
}

std::size_t ErrorList::place_of(std::string_view file) {
  const auto found = std::ranges::find(files_, file);
  if (found == files_.end()) files_.emplace_back(file);
  return static_cast<std::size_t>(std::ranges::find(files_, file) - files_.begin());
}

}  // namespace sessionlogd
