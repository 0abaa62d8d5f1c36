// The reference of config/README.md, made from the keys.
#pragma once

#include <string>
#include <vector>

#include "config/key.h"

namespace sessionlogd {

struct ReferenceTable {
  std::string heading;
  std::vector<KeyRow> rows;
};

// Of every table of the configuration, and of [sink] for each type.
std::vector<ReferenceTable> reference();

// The table on the page, its last line break included.
std::string to_markdown(const std::vector<KeyRow>& rows);

}  // namespace sessionlogd
