// Asks a running daemon's admin address, for commands of our own.
#pragma once

#include <string>
#include <string_view>

#include "config/admin_address.h"
#include "core/base/result.h"

namespace sessionlogd {

// The body of what stands at `path`, whatever its status; within 10 s. An error says why nobody could be asked.
Result<std::string> ask_admin(const AdminAddress& address, std::string_view path);

}  // namespace sessionlogd
