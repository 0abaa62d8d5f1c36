// Decides whether the output that is there and the state that is there belong together, and which files must be read
// before new lines are written. Knows no files, so tests call it directly.
//
//   state: file 5, byte 700        rotated 5, rotated 6, rotated 7, output
//                                        └─ from 700 ──▶ all of it ──▶ ... ──▶ go on here
//
// Nothing is guessed. Where something could be lost or repeated unseen, StateMismatch says what a person can do; where
// nothing can repeat, since the state knows all that was delivered, a new file is begun.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sinks/file/file_journal.h"
#include "sinks/file/rotated_name.h"

namespace sessionlogd {

struct OutputFound {
  std::string path;  // absolute
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  // Whether the byte before the committed position ends a line; true when the position is 0 or beyond the end.
  bool line_ends_at_position = true;
  // What it begins with, blank lines left out.
  enum class Beginning {
    kOurs,     // a line that is an event that we wrote
    kNothing,  // or zeros, which a power cut leaves
    kTorn,     // what one of our lines begins with, but it is none
    kForeign,  // anything else
  };
  Beginning begins_with = Beginning::kOurs;
};

struct OutputsFound {
  std::string path;                         // sink.path
  std::optional<OutputFound> current;       // at sink.path
  std::vector<RotatedFile> rotated;         // of sink.path, by number
  std::vector<RotatedFile> rotated_before;  // of the path the state knows, when sink.path was changed
  // The committed file under a name that is not one of ours: somebody renamed it, or sink.path was changed.
  std::optional<OutputFound> renamed;
};

struct FileToRead {
  std::string path;
  std::int64_t sequence = 1;
  std::uint64_t offset = 0;  // up to here its lines are committed
  bool compressed = false;
};

struct GoOn {
  std::vector<FileToRead> read;    // forward, in this order
  bool in_current = false;         // the last of them is the output, and is written on
  std::int64_t next_sequence = 1;  // otherwise: of the file to begin
  bool committed_is_gone = false;  // the committed file was not found: a person must know
};

// `state_file` is for messages. Throws StateMismatch.
GoOn match_output(const std::optional<OutputPosition>& position, const OutputsFound& found,
                  const std::string& state_file);

}  // namespace sessionlogd
