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

// Where `include` stands.
struct IncludeKey {
  std::filesystem::path configuration;
  unsigned line;
};

// The files that match, each once, in alphabetical order within a pattern. No match is no mistake where a pattern asks
// for whatever there is; what is warned about is a directory that is missing, or that holds files of other names. A
// file that is named as it is must be there, a link must lead somewhere, and a directory must be one that can be
// listed.
std::vector<std::filesystem::path> find_included(const IncludeKey& key, const std::vector<std::string>& patterns,
                                                 ErrorList& errors, std::vector<std::string>& warnings);

}  // namespace sessionlogd
