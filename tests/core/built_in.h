// The dialects that are compiled in, ready to use.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include "config/load.h"

namespace sessionlogd::test {

inline Dialect built_in(std::string_view name) {
  const auto& all = built_in_dialects();
  const auto found = std::ranges::find(all, name, &BuiltInDialect::name);
  if (found == all.end()) throw std::invalid_argument("no such dialect: " + std::string(name));
  return std::get<Dialect>(parse_dialect(found->toml, std::string(name)));
}

inline const Dialect& aws() {
  static const Dialect dialect = built_in("veeam-aws");
  return dialect;
}

inline const Dialect& azure() {
  static const Dialect dialect = built_in("veeam-azure");
  return dialect;
}

}  // namespace sessionlogd::test
