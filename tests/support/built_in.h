// The dialects as they are shipped.
#pragma once

#include <memory>
#include <string_view>

#include "config/dialect.h"

namespace sessionlogd::test {

// Throws std::runtime_error when there is none of this name.
std::shared_ptr<const Dialect> built_in_dialect(std::string_view name);

}  // namespace sessionlogd::test
