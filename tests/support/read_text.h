// What a file holds now; "" when there is none. Unlike with an iterator nothing is thrown when a process ends while its
// file in /proc is read, and no byte is a call.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace sessionlogd::test {

inline std::string read_text(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace sessionlogd::test
