// The directory that holds the durable state: made if missing, on a local file system, and ours alone while we run.
#pragma once

#include <string>
#include <string_view>

#include "config/storage_paths.h"
#include "sinks/file/owned_fd.h"

namespace sessionlogd {

class StateDir {
 public:
  // Makes the directory (0700, the last component only) and locks `lock` in it, which then names us.
  // Throws InUse, TryLater, or std::runtime_error when it cannot be made or lies on a network file system.
  explicit StateDir(std::string path);

  std::string state_file() const { return path_ + "/" + state_names::kState; }

  // Whether it, and not another one or nothing, is still at its path, with the state in it.
  bool is_there() const;

  // Makes the names in it durable.
  void sync() const;

 private:
  std::string path_;
  OwnedFd directory_;
  OwnedFd lock_;
};

// "NFS" and the like; "" for a file system whose locks and memory maps can be relied on. `magic` is statfs.f_type.
std::string_view network_file_system(unsigned long magic);

}  // namespace sessionlogd
