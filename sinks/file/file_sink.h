// Writes events to a file, each exactly once. The file is the write-ahead log of the state:
//
//   commit   lines at the committed position ─▶ fdatasync ─▶ state rows and the new position in one SQLite transaction
//   recover  locks ─▶ do output and state belong together? ─▶ rows ─▶ lines behind the committed position count as
//   delivered
//   rotate   the file gets its number as its name ─▶ a new one is made ─▶ directory synced ─▶ position in the new one
//
// A write that finds no room leaves torn bytes behind the position; the next offer of the same batches overwrites them,
// and when the process ends before, recovery blanks them. So a file is left, by our rotation or by another program's
// renaming, only at a committed position.
//
// A file has one format, for its readers are told one: a start with another one rotates it.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/state/sink.h"
#include "sinks/file/file_journal.h"
#include "sinks/file/file_ops.h"
#include "sinks/file/output_file.h"
#include "sinks/file/output_match.h"
#include "sinks/file/output_recovery.h"
#include "sinks/file/recovery_progress.h"
#include "sinks/file/rotated_keeper.h"
#include "sinks/file/state_dir.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {

class FileSink : public Sink {
 public:
  // Touches nothing before recover(). `format` is that of the batches it is given; `ops` outlives the sink.
  FileSink(std::string state_dir, FileSinkSettings settings, const Format& format, FileOps& ops = FileOps::system());

  void recover(StateVisitor& into) override;
  void on_progress(const std::function<void()>& tell) override { tell_ = tell; }
  std::string how_far() const override { return how_far_; }
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches) override;
  [[nodiscard]] Result<void> look() override;
  void reopen() override;
  std::string_view name() const override { return name_; }

 private:
  void begin_file(std::int64_t sequence);
  void end_file_of_another_format();
  Recovered read_forward(const FileToRead& file, std::optional<OutputFile>& current, StateVisitor& into,
                         RecoveryProgress& progress);

  Result<void> try_commit(std::span<const Batch> batches);
  bool has_longer_than_max(const Batch& batch) const;
  std::string cut_to_max(const Batch& batch) const;
  Result<void> write_events(std::span<const std::string_view> pieces);
  Result<void> prepare_output(std::size_t bytes);
  Result<void> go_on_in_next_file();
  Result<void> check_state() const;
  Result<void> check_size() const;
  bool leave_foreign_lines();
  void say_written_over(std::uint64_t bytes);  // once
  void say_foreign_lines(const std::string& path, std::uint64_t bytes, std::uint64_t offset) const;
  bool rename_output();
  void say_where_it_went(OutputFile::Place place, const OutputPosition& left) const;

  const std::string state_path_;
  FileSinkSettings settings_;  // with an absolute path
  const Format& format_;
  FileOps& ops_;
  const std::string name_;
  std::function<void()> tell_;
  std::string how_far_;  // of a recovery under way

  std::mutex mutex_;  // reopen() comes from another thread
  std::optional<StateDir> state_dir_;
  std::optional<FileJournal> journal_;
  std::optional<OutputFile> output_;
  std::optional<RotatedKeeper> keeper_;
  OutputPosition position_;     // committed
  bool offered_again_ = false;  // the batches on offer may be in the file already, in part or whole
  bool rename_failed_ = false;  // said already
  bool written_over_said_ = false;
  std::optional<Error> refusal_;  // after it nothing is tried any more
};

}  // namespace sessionlogd
