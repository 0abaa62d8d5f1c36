// The mistakes found in a configuration, collected until all of it was looked at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"

namespace sessionlogd {

class ErrorList {
 public:
  void add(std::string_view file, unsigned line, std::string_view key, std::string_view message);

  bool empty() const { return errors_.empty(); }
  std::size_t size() const { return errors_.size(); }

  // Files in the order in which they were opened, lines in theirs.
  std::vector<ConfigError> in_order() const;

  // Sets the place of `file` in that order, before its mistakes are known.
  void opened(std::string_view file) { place_of(file); }

 private:
  std::size_t place_of(std::string_view file);

  std::vector<std::string> files_;
  std::vector<std::pair<std::size_t, ConfigError>> errors_;  // with the place of their file
};

}  // namespace sessionlogd
