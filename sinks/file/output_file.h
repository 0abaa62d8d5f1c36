// The output: a regular file that is opened, locked, written at positions and synced. It never shrinks: nothing here
// truncates it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "core/base/result.h"
#include "sinks/file/file_ops.h"
#include "sinks/file/owned_fd.h"

namespace sessionlogd {

class OutputFile {
 public:
  // Opens and locks what is there; nullopt when nothing is. A symbolic link and anything but a regular file are
  // refused. Throws InUse, TryLater, WrongSetting, std::runtime_error.
  static std::optional<OutputFile> open(const std::string& path, FileOps& ops);

  // Makes and locks a new file with the mode and group asked for; its name is durable then. Throws like open(), and
  // SyncFailed.
  static OutputFile create(const FileSinkSettings& settings, FileOps& ops);

  // Gives an empty file that somebody else made, or that we made and were killed over, what create() gives. Throws like
  // create().
  void take_over(const FileSinkSettings& settings);

  const std::string& path() const { return path_; }
  std::uint64_t device() const { return device_; }
  std::uint64_t inode() const { return inode_; }
  std::uint64_t size() const;

  // Where the file is now that was opened at path().
  enum class Place {
    kThere,
    kElsewhere,  // renamed: nothing or another file is at path()
    kNowhere,    // removed: what is written would be gone with us
  };
  Place place() const;

  // Whether a line ends right before `offset`; true for 0. Throws like read().
  bool line_ends_at(std::uint64_t offset) const;

  // Reads until `into` is full or the file ends; how much there was. Throws std::runtime_error.
  std::size_t read(std::uint64_t offset, std::span<char> into) const;

  // Writes all pieces one behind the other. kTryLater: some of the bytes may have been written, the rest found no room.
  [[nodiscard]] Result<void> write(std::uint64_t offset, std::span<const std::string_view> pieces);

  // kRefused: which of the bytes written since the last sync are on the disk is unknown, and syncing again would not
  // tell.
  [[nodiscard]] Result<void> sync();

 private:
  OutputFile(std::string path, OwnedFd fd, FileOps& ops);

  std::string path_;
  OwnedFd fd_;
  FileOps* ops_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

// What is on the disk is unknown: the daemon must end and find out at its next start.
struct SyncFailed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Makes the names in the directory of `path` durable. Throws SyncFailed, and like open().
void sync_directory_of(const std::string& path, FileOps& ops);

}  // namespace sessionlogd
