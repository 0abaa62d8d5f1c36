// A file of tests/data as one text. Throws std::runtime_error when it is not there.
#pragma once

#include <string>
#include <string_view>

namespace sessionlogd::test {

std::string read_data_file(std::string_view name);

}  // namespace sessionlogd::test
