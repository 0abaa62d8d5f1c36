// Decides whether the output that is there and the state that is there belong together. Knows no files, so tests call
// it directly.
//
// Nothing is guessed. Where something could be lost or repeated unseen, StateMismatch says what a person can do; where
// nothing can repeat, since the state knows all that was delivered, a new file is begun.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sinks/file_journal.h"

namespace sessionlogd {

struct OutputFound {
  std::string path;  // absolute
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  // Whether the byte before the committed position ends a line; true when the position is 0 or beyond the end.
  bool line_ends_at_position = true;
};

enum class GoOn {
  kFirstFile,  // nothing was ever written
  kSameFile,   // read forward from the position
  kNextFile,   // the committed file is not at this path any more: the next sequence number
};

// `found` nullopt: there is no output. `state_file` is for messages. Throws StateMismatch.
GoOn match_output(const std::optional<OutputPosition>& position, const std::optional<OutputFound>& found,
                  const std::string& state_file);

}  // namespace sessionlogd
