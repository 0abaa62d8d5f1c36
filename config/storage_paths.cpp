#include "config/storage_paths.h"

#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <filesystem>
#include <string_view>

#include "config/units.h"

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;

// What the names of rotated files add to that of the output, while they are compressed: sinks/file/rotated_name.h.
constexpr std::string_view kLongestAddition = "-0000000000-20261121T204112Z.zst.part";
constexpr std::size_t kMostOfAnOutput = NAME_MAX - kLongestAddition.size();

std::string found(const std::string& path, std::string_view what, std::string_view expected) {
  return "found " + in_quotes(path) + " (" + std::string(what) + "), expected " + std::string(expected);
}

std::string_view kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return S_ISREG(mode) ? "a file" : "a device";
}

std::string find_fault_of_names(const std::string& path, std::size_t most_of_last) {
  if (path.size() >= PATH_MAX) {
    return "found a path of " + std::to_string(path.size()) + " bytes, expected at most " +
           std::to_string(PATH_MAX - 1);
  }
  const fs::path parts(path);
  for (auto part = parts.begin(); part != parts.end(); ++part) {
    const std::size_t most = std::next(part) == parts.end() ? most_of_last : NAME_MAX;
    if (part->native().size() <= most) continue;
    return "found a name of " + std::to_string(part->native().size()) + " bytes, expected at most " +
           std::to_string(most) + (most < NAME_MAX ? ": rotated files add their number and time to it" : "");
  }
  return {};
}

// Of the directories above `path`, those that are there.
std::string find_fault_above(const std::string& path, std::string_view expected) {
  for (fs::path above = fs::path(path).parent_path(); above.has_relative_path(); above = above.parent_path()) {
    struct stat info {};
    if (::stat(above.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) continue;
    return found(path, above.string() + " is " + std::string(kind_of(info.st_mode)), expected);
  }
  return {};
}

// By LogsDirectory= and StateDirectory=, at the first start: `check` may come before.
bool is_made_by_the_unit(const fs::path& directory) {
  static const fs::path logs = "/var/log/sessionlogd", state = "/var/lib/sessionlogd";
  return directory == logs || directory.parent_path() == logs || directory == state;
}

bool is_missing(const fs::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) != 0 && errno == ENOENT;
}

// Only the last name of a path is made, and a link that leads nowhere is in its way.
std::string find_fault_of_nothing(const std::string& path, std::string_view expected) {
  struct stat info {};
  const fs::path directory = fs::path(path).parent_path();
  if (is_missing(directory) && !is_made_by_the_unit(directory))
    return found(path, directory.string() + " is not there", "a directory in one that is there: make it");
  return ::lstat(path.c_str(), &info) == 0 ? found(path, "a symbolic link that leads nowhere", expected) : "";
}

// Where it leads, as far as it is there.
fs::path place_of(const std::string& path) {
  std::error_code error;
  fs::path place = fs::weakly_canonical(path, error);
  if (error) place = fs::path(path).lexically_normal();
  return place.has_filename() ? place : place.parent_path();
}

}  // namespace

bool is_of_the_state(const std::string& path, const std::string& state_dir) {
  const fs::path within = place_of(path).lexically_relative(place_of(state_dir));
  if (within.empty()) return false;
  const std::string name = within.begin()->string();
  if (name == ".") return true;
  const auto is = [&](std::string_view own) { return name == own; };
  const auto begins_with = [&](std::string_view own) {
    return name.starts_with(own) && (name.size() == own.size() || name[own.size()] == '-' || name[own.size()] == '.');
  };
  return is(state_names::kLock) || is(state_names::kControl) || is(state_names::kQuarantine) ||
         begins_with(state_names::kState) || begins_with(state_names::kAccounts);
}

bool is_one_place(const std::string& path, const std::string& other) { return place_of(path) == place_of(other); }

std::string find_fault_of_output(const std::string& path) {
  constexpr std::string_view kExpected = "the path of a regular file, or of nothing in a directory";
  if (std::string fault = find_fault_of_names(path, kMostOfAnOutput); !fault.empty()) return fault;
  if (std::string fault = find_fault_above(path, kExpected); !fault.empty()) return fault;
  struct stat info {};
  const fs::path directory = fs::path(path).parent_path();
  if (::stat(directory.c_str(), &info) != 0 && errno == ENOENT && !is_made_by_the_unit(directory))
    return found(path, directory.string() + " is not there", "a file in a directory that is there: make it");
  if (::lstat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode)) return {};
  return found(path, kind_of(info.st_mode), S_ISLNK(info.st_mode) ? "the path of the file itself" : kExpected);
}

std::string find_fault_of_directory(const std::string& path) {
  constexpr std::string_view kExpected = "the path of a directory, or of nothing in a directory";
  if (std::string fault = find_fault_of_names(path, NAME_MAX); !fault.empty()) return fault;
  if (std::string fault = find_fault_above(path, kExpected); !fault.empty()) return fault;
  struct stat info {};
  const bool is_there = ::stat(path.c_str(), &info) == 0;
  if (!is_there && errno == ENOENT) return find_fault_of_nothing(path, kExpected);
  return !is_there || S_ISDIR(info.st_mode) ? "" : found(path, kind_of(info.st_mode), kExpected);
}

}  // namespace sessionlogd
