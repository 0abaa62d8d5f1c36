#include "sinks/output_match.h"

#include <fmt/format.h>

namespace sessionlogd {
namespace {

// The inode tells files apart. The device number counts only when the path changed as well: over a reboot a file system
// may get another one (LVM, btrfs), and on two young file systems files have the same inodes.
bool is_same_file(const OutputPosition& position, const OutputFound& found) {
  if (position.inode != found.inode) return false;
  return position.path == found.path || position.device == found.device;
}

[[noreturn]] void no_state(const OutputFound& found, const std::string& state_file) {
  throw StateMismatch(
      fmt::format("output {} holds {} bytes, but {} has no state for it, so which entries it holds is unknown: put "
                  "back a copy of the state (what "
                  "the output received since is read from there), or move the output away to start afresh, which "
                  "delivers again what the sources "
                  "still hold within `lookback`",
                  found.path, found.size, state_file));
}

[[noreturn]] void cut_short(const OutputPosition& position, const OutputFound& found, const std::string& state_file) {
  throw StateMismatch(
      fmt::format("output {} has {} bytes, but {} knows of {}: it was cut, emptied or put back from an older copy. "
                  "Move it away: a new file is "
                  "begun then and nothing is delivered again. A log rotation that cuts files (copytruncate) must not "
                  "touch this file",
                  found.path, found.size, state_file, position.offset));
}

[[noreturn]] void other_content(const OutputPosition& position, const OutputFound& found,
                                const std::string& state_file) {
  throw StateMismatch(
      fmt::format("output {} has no end of a line at byte {}, up to where {} knows it: another program wrote to it. "
                  "Move it away: a new file is "
                  "begun then and nothing is delivered again",
                  found.path, position.offset, state_file));
}

[[noreturn]] void other_file(const OutputPosition& position, const OutputFound& found, const std::string& state_file) {
  throw StateMismatch(
      fmt::format("output {} holds {} bytes and is not the file {} knows (inode {}, not {}): it was copied, put back "
                  "from a copy or written by "
                  "another program. Move it away: a new file is begun then and nothing is delivered again",
                  found.path, found.size, state_file, found.inode, position.inode));
}

}  // namespace

GoOn match_output(const std::optional<OutputPosition>& position, const std::optional<OutputFound>& found,
                  const std::string& state_file) {
  const bool empty = !found || found->size == 0;
  if (!position) {
    if (!empty) no_state(*found, state_file);
    return GoOn::kFirstFile;
  }
  if (found && is_same_file(*position, *found)) {
    if (found->size < position->offset) cut_short(*position, *found, state_file);
    if (!found->line_ends_at_position) other_content(*position, *found, state_file);
    return GoOn::kSameFile;
  }
  if (!empty) other_file(*position, *found, state_file);
  return GoOn::kNextFile;
}

}  // namespace sessionlogd
