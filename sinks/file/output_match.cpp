#include "sinks/file/output_match.h"

#include <fmt/format.h>

#include <algorithm>

namespace sessionlogd {
namespace {

// The inode tells files apart. The device number counts only when the path changed as well: over a reboot a file system
// may get another one (LVM, btrfs), and on two young file systems files have the same inodes.
bool is_same_file(const OutputPosition& position, const OutputFound& found) {
  if (position.inode != found.inode) return false;
  return position.path == found.path || position.device == found.device;
}

[[noreturn]] void no_state(const std::string& path, std::uint64_t bytes, const std::string& state_file) {
  throw StateMismatch(fmt::format(
      "output {} holds {} bytes, but {} has no state for it, so which entries it holds is unknown: put back a "
      "copy of the state (what the output received since is read from there); or let `sessionlogd state "
      "rebuild` read it from the output; or start afresh with `sessionlogd state init`, which delivers again "
      "what the sources still hold within `lookback`",
      path, bytes, state_file));
}

[[noreturn]] void cut_short(const OutputPosition& position, const OutputFound& found, const std::string& state_file) {
  throw StateMismatch(fmt::format(
      "output {} has {} bytes, but {} knows of {}: it was cut, emptied or put back from an older copy. "
      "Move it away: a new file is begun then and nothing is delivered again. A log rotation that cuts files "
      "(copytruncate) must not touch this file",
      found.path, found.size, state_file, position.offset));
}

[[noreturn]] void other_content(const OutputPosition& position, const OutputFound& found,
                                const std::string& state_file) {
  throw StateMismatch(
      fmt::format("output {} has no end of a line at byte {}, up to where {} knows it: another program wrote to it. "
                  "Move it away: a new file is begun then and nothing is delivered again",
                  found.path, position.offset, state_file));
}

[[noreturn]] void nothing_of_ours(const OutputFound& found, const std::string& state_file) {
  throw StateMismatch(
      fmt::format("output {} holds {} bytes that do not begin with an event, though {} knows it: another program wrote "
                  "it. Move it away: a new file is begun then and nothing is delivered again",
                  found.path, found.size, state_file));
}

[[noreturn]] void other_file(const OutputPosition& position, const OutputFound& found, const std::string& state_file) {
  throw StateMismatch(fmt::format(
      "output {} holds {} bytes and is not the file {} knows (inode {}, not {}): it was copied, put back from "
      "a copy or written by another program. Move it away: a new file is begun then and nothing is delivered "
      "again",
      found.path, found.size, state_file, found.inode, position.inode));
}

[[noreturn]] void missing_file(const OutputPosition& position, std::int64_t sequence, const std::string& state_file) {
  throw StateMismatch(fmt::format(
      "output {}: the files after number {} are there, but number {} is not, and {} ends in number {} (byte "
      "{}): what stood in it would be delivered again. Put it back; or let `sessionlogd state rebuild` read "
      "what is there; or start afresh with `sessionlogd state init`",
      position.path, sequence, sequence, state_file, position.sequence, position.offset));
}

[[noreturn]] void moved_series(const OutputPosition& position, const std::string& state_file) {
  throw StateMismatch(fmt::format(
      "sink.path was changed, but there are files of {} after number {}, where {} ends: set sink.path back, "
      "start once so that they are read, then change it",
      position.path, position.sequence, state_file));
}

// The file of this number, plain where both forms are there; nullptr when there is none.
const RotatedFile* find(const std::vector<RotatedFile>& files, std::int64_t sequence) {
  const auto found = std::ranges::find(files, sequence, &RotatedFile::sequence);
  return found == files.end() ? nullptr : &*found;
}

std::int64_t last_of(const std::vector<RotatedFile>& files) { return files.empty() ? 0 : files.back().sequence; }

// From the committed file, which was rotated, over all that came after it.
GoOn read_series(const OutputPosition& position, const OutputsFound& found, const std::string& state_file) {
  GoOn way;
  std::int64_t sequence = position.sequence;
  for (const std::int64_t last = last_of(found.rotated); sequence <= last; ++sequence) {
    const RotatedFile* file = find(found.rotated, sequence);
    if (file == nullptr) missing_file(position, sequence, state_file);
    way.read.push_back({file->path, sequence, way.read.empty() ? position.offset : 0, file->compressed});
  }
  way.next_sequence = sequence;
  if (!found.current || found.current->size == 0) return way;
  if (found.current->begins_with != OutputFound::Beginning::kOurs) other_file(position, *found.current, state_file);
  way.read.push_back({found.current->path, sequence, 0, false});
  way.in_current = true;
  return way;
}

GoOn begin_next(const OutputPosition& position, const OutputsFound& found, const std::string& state_file) {
  GoOn way;
  if (found.current && found.current->size != 0) other_file(position, *found.current, state_file);
  way.next_sequence = std::max(position.sequence, last_of(found.rotated)) + 1;
  if (const RotatedFile* file = find(found.rotated_before, position.sequence); file != nullptr) {
    way.read.push_back({file->path, position.sequence, position.offset, file->compressed});
  } else if (found.renamed) {
    way.read.push_back({found.renamed->path, position.sequence, position.offset, false});
  } else {
    way.committed_is_gone = position.offset != 0;
  }
  return way;
}

}  // namespace

GoOn match_output(const std::optional<OutputPosition>& position, const OutputsFound& found,
                  const std::string& state_file) {
  const std::optional<OutputFound>& current = found.current;
  if (!position) {
    if (current && current->size != 0) no_state(current->path, current->size, state_file);
    if (!found.rotated.empty()) no_state(found.rotated.back().path, found.rotated.back().size, state_file);
    return {};
  }
  // Inodes are used again: what has later files beside it is not the committed file, whatever its inode.
  if (position->path == found.path && last_of(found.rotated) >= position->sequence)
    return read_series(*position, found, state_file);
  if (current && is_same_file(*position, *current)) {
    if (current->size < position->offset) cut_short(*position, *current, state_file);
    if (!current->line_ends_at_position) other_content(*position, *current, state_file);
    // What is torn behind the position is blanked: not in a file that only got the inode of ours.
    if (position->offset == 0 && current->begins_with == OutputFound::Beginning::kForeign)
      nothing_of_ours(*current, state_file);
    return {.read = {{current->path, position->sequence, position->offset, false}},
            .in_current = true,
            .next_sequence = position->sequence};
  }
  if (last_of(found.rotated_before) > position->sequence) moved_series(*position, state_file);
  return begin_next(*position, found, state_file);
}

}  // namespace sessionlogd
