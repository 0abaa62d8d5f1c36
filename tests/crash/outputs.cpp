#include "tests/crash/outputs.h"

#include <filesystem>
#include <stdexcept>

#include "sinks/file/rotated_name.h"
#include "sinks/file/zstd_file.h"
#include "tests/sinks/support.h"

namespace sessionlogd::test {
namespace {

std::string unpack(const std::string& path) {
  ZstdReader reader(path);
  std::string all, piece(1 << 16, '\0');
  while (const std::size_t got = reader.read(piece)) all.append(piece, 0, got);
  return all;
}

}  // namespace

std::vector<std::string> read_outputs(const std::string& path) {
  std::vector<std::string> contents;
  RotatedFile last{};
  for (const RotatedFile& file : list_rotated(path)) {
    std::string content = file.compressed ? unpack(file.path) : read_text(file.path);
    if (file.sequence != last.sequence) {
      contents.push_back(std::move(content));
    } else if (content != contents.back()) {
      if (std::filesystem::exists(last.path)) throw std::runtime_error("the two forms differ: " + file.path);
      contents.back() = std::move(content);  // a running daemon removed the plain one before it was read
    }
    last = file;
  }
  if (std::filesystem::exists(path)) contents.push_back(read_text(path));
  return contents;
}

}  // namespace sessionlogd::test
