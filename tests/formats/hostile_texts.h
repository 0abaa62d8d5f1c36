// Texts that try to break out of a line, of a field or of UTF-8.
#pragma once

#include <string>
#include <vector>

namespace sessionlogd::test {

// They stand in a line of any format as they are, or behind an escape.
const std::vector<std::string>& what_stands_whole();

// In some formats they cannot stand as they are.
const std::vector<std::string>& what_is_replaced();

}  // namespace sessionlogd::test
