#include "sinks/file/rotated_name.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;

struct Parts {
  std::string directory, stem, extension;
};

Parts parts_of(const std::string& output) {
  const fs::path path(output);
  return {path.parent_path().string(), path.stem().string(), path.extension().string()};
}

bool is_time(std::string_view text) {
  constexpr std::string_view kLayout = "00000000T000000Z";
  if (text.size() != kLayout.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (kLayout[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != kLayout[i]) return false;
  }
  return true;
}

bool take_ending(std::string_view& name, std::string_view ending) {
  if (!name.ends_with(ending)) return false;
  name.remove_suffix(ending.size());
  return true;
}

struct ParsedName {
  std::int64_t sequence = 0;
  bool compressed = false;
  bool unfinished = false;
};

std::optional<ParsedName> parse_name(std::string_view name, const Parts& parts) {
  ParsedName parsed;
  parsed.unfinished = take_ending(name, kUnfinishedEnding);
  parsed.compressed = take_ending(name, kCompressedEnding);
  if (!take_ending(name, parts.extension)) return std::nullopt;
  if (!name.starts_with(parts.stem) || name.substr(parts.stem.size(), 1) != "-") return std::nullopt;
  name.remove_prefix(parts.stem.size() + 1);
  const std::size_t dash = name.find('-');
  if (dash == name.npos || dash < 6 || !is_time(name.substr(dash + 1))) return std::nullopt;
  const auto read = std::from_chars(name.data(), name.data() + dash, parsed.sequence);
  if (read.ec != std::errc{} || read.ptr != name.data() + dash || parsed.sequence < 1) return std::nullopt;
  return parsed;
}

// Calls on_file(path, name) for every name in the directory of the output.
template <class OnFile>
void walk_directory(const Parts& parts, OnFile on_file) {
  std::error_code missing;
  if (!fs::exists(parts.directory, missing)) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(parts.directory)) {
    on_file(entry.path().string(), entry.path().filename().string());
  }
}

// Of a regular file only.
std::optional<struct stat> examine(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return info;
}

}  // namespace

std::string rotated_name(const std::string& output, std::int64_t sequence,
                         std::chrono::system_clock::time_point ended) {
  const Parts parts = parts_of(output);
  const std::string name = fmt::format("{}-{:06}-{:%Y%m%dT%H%M%S}Z{}", parts.stem, sequence,
                                       fmt::gmtime(std::chrono::system_clock::to_time_t(ended)), parts.extension);
  return (fs::path(parts.directory) / name).string();
}

std::vector<RotatedFile> list_rotated(const std::string& output) {
  const Parts parts = parts_of(output);
  std::vector<RotatedFile> found;
  walk_directory(parts, [&](const std::string& path, const std::string& name) {
    const auto parsed = parse_name(name, parts);
    if (!parsed || parsed->unfinished) return;
    const auto info = examine(path);
    if (!info) return;
    found.push_back({parsed->sequence, path, parsed->compressed, info->st_dev, info->st_ino,
                     static_cast<std::uint64_t>(info->st_size)});
  });
  std::ranges::sort(found, [](const RotatedFile& a, const RotatedFile& b) {
    return std::tie(a.sequence, a.compressed, a.path) < std::tie(b.sequence, b.compressed, b.path);
  });
  return found;
}

std::vector<std::string> list_unfinished(const std::string& output) {
  const Parts parts = parts_of(output);
  std::vector<std::string> found;
  walk_directory(parts, [&](const std::string& path, const std::string& name) {
    const auto parsed = parse_name(name, parts);
    if (parsed && parsed->unfinished && examine(path)) found.push_back(path);
  });
  return found;
}

std::optional<std::string> find_by_inode(const std::string& output, std::uint64_t inode) {
  std::optional<std::string> found;
  walk_directory(parts_of(output), [&](const std::string& path, const std::string&) {
    const auto info = examine(path);
    if (info && info->st_ino == inode) found = path;
  });
  return found;
}

}  // namespace sessionlogd
