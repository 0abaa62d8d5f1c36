#include "sinks/formats/formats.h"

#include <algorithm>
#include <stdexcept>

namespace sessionlogd {

const Format* find_format(std::string_view name) {
  const auto found = std::ranges::find(formats(), name, &Format::name);
  return found == formats().end() ? nullptr : *found;
}

const Format& format_named(std::string_view name) {
  if (const Format* format = find_format(name)) return *format;
  throw std::logic_error("no format " + std::string(name) + " in sinks/formats/shipped.h");
}

std::vector<FormatRules> format_rules() {
  std::vector<FormatRules> rules;
  for (const Format* format : formats())
    rules.push_back({format->name, format->has_facility, format->for_syslog, format->longest_label});
  return rules;
}

}  // namespace sessionlogd
