// The output: a regular file that is opened, locked, written at positions and synced. It never shrinks: nothing here
// truncates it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "core/result.h"
#include "sinks/file_ops.h"
#include "sinks/owned_fd.h"

namespace sessionlogd {

class OutputFile {
 public:
  // Opens and locks what is there; nullopt when nothing is. A symbolic link and anything but a regular file are
  // refused. Throws InUse, std::runtime_error.
  static std::optional<OutputFile> open(const std::string& path, FileOps& ops);

  // Makes and locks a new file with the mode and group asked for; its name is durable then. Throws like open().
  static OutputFile create(const FileSinkSettings& settings, FileOps& ops);

  const std::string& path() const { return path_; }
  std::uint64_t device() const { return device_; }
  std::uint64_t inode() const { return inode_; }
  std::uint64_t size() const;

  // False once the file has no name any more: what is written would be gone with us.
  bool has_a_name() const;

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

}  // namespace sessionlogd
