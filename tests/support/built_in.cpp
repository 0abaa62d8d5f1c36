#include "tests/support/built_in.h"

#include <stdexcept>
#include <string>

#include "config/load.h"

namespace sessionlogd::test {

std::shared_ptr<const Dialect> built_in_dialect(std::string_view name) {
  for (const BuiltInDialect& known : built_in_dialects()) {
    if (known.name != name) continue;
    auto parsed = parse_dialect(known.toml, std::string(name) + ".toml");
    if (const auto* dialect = std::get_if<Dialect>(&parsed)) return std::make_shared<const Dialect>(*dialect);
  }
  throw std::runtime_error("no dialect " + std::string(name));
}

}  // namespace sessionlogd::test
