// Writes events to a file, each exactly once. The file is the write-ahead log of the state:
//
//   commit   lines at the committed position ─▶ fdatasync ─▶ state rows and the new position in one SQLite transaction
//   recover  locks ─▶ do output and state belong together? ─▶ rows ─▶ lines behind the committed position count as
//   delivered
//
// A write that finds no room leaves torn bytes behind the position; the next offer of the same batches overwrites them,
// and when the process ends before, recovery blanks them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/sink.h"
#include "sinks/file_journal.h"
#include "sinks/file_ops.h"
#include "sinks/output_file.h"
#include "sinks/state_dir.h"

namespace sessionlogd {

class FileSink : public Sink {
 public:
  // Touches nothing before recover(). `ops` outlives the sink.
  FileSink(std::string state_dir, FileSinkSettings settings, FileOps& ops = FileOps::system());

  void recover(StateVisitor& into) override;
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches) override;
  std::string_view name() const override { return name_; }

 private:
  void go_on_in_same_file(OutputFile output, const OutputPosition& position, StateVisitor& into);
  void go_on_in_next_file(std::optional<OutputFile> output, OutputPosition position, StateVisitor& into);
  bool finish_moved_file(OutputPosition& position, StateVisitor& into);
  void begin_file(std::optional<OutputFile> output, std::int64_t sequence);
  void read_forward(OutputFile& output, OutputPosition& position, StateVisitor& into);

  Result<void> try_commit(std::span<const Batch> batches);
  Result<void> write_events(std::span<const std::string_view> pieces);
  Result<void> check_output() const;

  const std::string state_path_;
  FileSinkSettings settings_;  // with an absolute path
  FileOps& ops_;
  const std::string name_;

  std::optional<StateDir> state_dir_;
  std::optional<FileJournal> journal_;
  std::optional<OutputFile> output_;
  OutputPosition position_;       // committed
  std::optional<Error> refusal_;  // after it nothing is tried any more
};

}  // namespace sessionlogd
