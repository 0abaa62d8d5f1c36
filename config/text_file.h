// Reads the files a configuration consists of.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace sessionlogd {

class ErrorList;

// The whole file, or nothing and a mistake that says why. Only regular files, up to a little over what parse_toml()
// accepts.
std::optional<std::string> read_text_file(const std::filesystem::path& file, ErrorList& errors);

}  // namespace sessionlogd
