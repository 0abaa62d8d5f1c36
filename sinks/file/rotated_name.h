// The names of output files that were ended, and which of them are there.
//
//   events.ndjson  ─▶  events-000123-20261121T204112Z.ndjson  ─▶  events-000123-20261121T204112Z.ndjson.zst
//
// The number orders them, never the time: clocks are set back.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sessionlogd {

// `output` is the path of the output, `sequence` the number of the file that ends.
std::string rotated_name(const std::string& output, std::int64_t sequence, std::chrono::system_clock::time_point ended);

struct RotatedFile {
  std::int64_t sequence = 0;
  std::string path;
  bool compressed = false;
  std::uint64_t device = 0, inode = 0, size = 0;
};

// The rotated files of an output, by number; of one that is there plain and compressed the plain one first. Regular
// files only: a link of such a name is nobody's output. Empty when the directory is not there; throws
// std::runtime_error when it cannot be read.
std::vector<RotatedFile> list_rotated(const std::string& output);

// What a compressor leaves behind when it is killed: "....zst.part".
std::vector<std::string> list_unfinished(const std::string& output);

// The plain file with this inode in the directory of `output`, whatever its name; nullopt when there is none.
std::optional<std::string> find_by_inode(const std::string& output, std::uint64_t inode);

inline constexpr std::string_view kCompressedEnding = ".zst";
inline constexpr std::string_view kUnfinishedEnding = ".part";

}  // namespace sessionlogd
