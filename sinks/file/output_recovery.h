// Reads the output forward from the last committed position: it is the write-ahead log.
//
//   position                                                               end
//   │ {"event":{"id":...}}⏎ │ garbage⏎ │ {"event":{"id":...}}⏎ │ {"event":{"i  │     what a crash left
//   │ {"event":{"id":...}}⏎ │        ⏎ │ {"event":{"id":...}}⏎ │            ⏎  │     what recovery leaves: the same
//   size
//
// Lines that are ours are delivered. They are written back as they are, for a page cache that survived a failed sync is
// not the disk. Whole lines of another program stay, since readers may have them. Everything else becomes blanks, for a
// file that shrinks is read again from the start by those who follow it.
//
// Goes in slices: each is written back and synced, then the state it implies is committed with the position behind it.
// So killed anywhere and run again gives the same, and a start that is cut short again and again still gets on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "sinks/file/file_journal.h"
#include "sinks/file/output_file.h"
#include "sinks/file/output_line.h"
#include "sinks/file/recovery_progress.h"

namespace sessionlogd {

// The longest line that recovery holds in memory to read it; a longer one is not ours, since commit() refuses to write
// it.
inline constexpr std::size_t kMaxLineBytes = 512u << 20;

struct Recovered {
  std::uint64_t events = 0;         // believed
  std::uint64_t blanked_bytes = 0;  // that were not blanks before
  std::uint64_t foreign_bytes = 0;  // of another program's lines, which stay
};

// Throws TryLater or std::runtime_error, by the kind of the error.
void value_or_throw(const Result<void>& result);

// Tests make them small.
struct RecoveryLimits {
  std::size_t first_buffer = 4u << 20;  // read at a time, as long as lines are not longer
  std::size_t max_line = kMaxLineBytes;
  std::size_t max_foreign = 1u << 20;  // a longer line nobody else writes as one
  std::uint64_t slice_bytes =
      64u << 20;  // how much is redone at most when recovery is cut short; syncing costs little at this size
};

class OutputRecovery {
 public:
  OutputRecovery(OutputFile& output, FileJournal& journal, StateVisitor& visitor, RecoveryProgress& progress,
                 RecoveryLimits limits = {});

  // Moves `position` to the end of the output, and commits it; its format becomes that of the last line that is ours.
  // Throws TryLater when there is no room,
  // std::runtime_error when storage fails.
  Recovered run(OutputPosition& position);

 private:
  void fill();
  void take_lines(std::size_t size);
  void take_line(char* line, std::size_t size);
  void take_torn_line();
  void blank_long_line();
  void blank(char* bytes, std::size_t size);
  void write_back(std::size_t size);
  void commit_slice();
  void grow();
  void reset_buffer();
  bool may_stay() const;

  OutputFile& output_;
  FileJournal& journal_;
  StateVisitor& visitor_;
  RecoveryProgress& progress_;
  OutputLineReader reader_;
  const RecoveryLimits limits_;

  // A window of the output: buffer_[0] is the byte at begin_, which starts a line. Padding for the reader follows.
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;  // of the output

  OutputPosition* position_ = nullptr;
  const Format* format_ = nullptr;  // of the last line that was ours
  Recovered recovered_;
};

}  // namespace sessionlogd
