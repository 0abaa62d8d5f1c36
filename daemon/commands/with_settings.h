// Loads the configuration for a command, or says everything that is wrong with it.
#pragma once

#include <functional>
#include <string>

#include "config/settings.h"

namespace sessionlogd {

// Calls `command` with the settings and returns what it returns; 78 when there are none, or when state and output do
// not belong together; 1 when it cannot start for another reason.
int with_settings(const std::string& config_file, const std::function<int(const Settings&)>& command,
                  SecretFiles secret_files = SecretFiles::kMustBeReadable);

}  // namespace sessionlogd
