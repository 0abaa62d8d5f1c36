// Finds the files that `daemon.include` names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/table_reader.h"

namespace sessionlogd {

class ErrorList;

// Rule for `include`: patterns as of glob(7), below the directory of the configuration: relative, without "..".
std::vector<std::string> include_patterns(const TomlValue& value);

// The files that match, each once, in alphabetical order within a pattern. No match is no mistake, a directory that
// cannot be listed is one.
std::vector<std::filesystem::path> find_included(const std::filesystem::path& configuration,
                                                 const std::vector<std::string>& patterns, ErrorList& errors);

}  // namespace sessionlogd
