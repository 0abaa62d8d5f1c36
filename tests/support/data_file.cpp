#include "tests/support/data_file.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace sessionlogd::test {

std::string read_data_file(std::string_view name) {
  const std::string path = std::string(TEST_DATA) + "/" + std::string(name);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace sessionlogd::test
