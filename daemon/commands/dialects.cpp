#include <fmt/core.h>

#include "config/load.h"
#include "daemon/commands/commands.h"

namespace sessionlogd {

int dialects(const std::string& name) {
  for (const BuiltInDialect& dialect : built_in_dialects()) {
    if (name.empty()) {
      fmt::print("{}\n", dialect.name);
    } else if (dialect.name == name) {
      fmt::print("{}", dialect.toml);
      return kWell;
    }
  }
  if (name.empty()) return kWell;
  fmt::print(stderr, "sessionlogd: no built-in dialect is named {}; `sessionlogd dialects` lists them\n", name);
  return kNotWell;
}

}  // namespace sessionlogd
