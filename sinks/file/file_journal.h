// The durable state of a file sink: rows and a position, in an SQLite database that every operator can open. Each has a
// checksum, and both are committed together.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "core/base/result.h"
#include "core/state/batch.h"
#include "core/state/latest_rows.h"
#include "core/state/sink.h"
#include "sinks/file/checksum.h"
#include "sinks/file/state_database.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {

struct OutputPosition {
  std::int64_t sequence = 1;  // of the output file: the first is 1, each later file has the next number
  std::uint64_t device = 0;   // for people: device numbers change over a reboot
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;          // bytes of the file that are committed; a line ends there
  std::string path{};                // sink.path, absolute; not that of a rotated file
  std::int64_t begun = 0;            // when the file was begun, seconds since 1970 by our clock; 0 = not known
  std::string format{kFirstFormat};  // of the file's lines, by its name

  bool operator==(const OutputPosition&) const = default;
};

class FileJournal {
 public:
  // Opens the database or makes it, and brings one of an older version up to this one. Throws StateMismatch when it is
  // damaged, not ours or of a newer version, TryLater when there is no room, std::runtime_error when storage cannot be
  // used. `tell` is called while that takes its time; what it throws ends it, and leaves a database that can be opened
  // again.
  explicit FileJournal(std::string path, const StateDatabase::Tell& tell = {});

  // Opens it to look only, also while a daemon writes to it. Throws like the constructor, also when there is none.
  static FileJournal open_to_read(std::string path);

  // While it lives, position and rows are of one commit.
  [[nodiscard]] StateDatabase::Reading of_one_commit() { return StateDatabase::Reading(database_); }

  // nullopt: nothing was ever committed. Throws StateMismatch when there are rows all the same.
  std::optional<OutputPosition> read_position();

  // Every row once, in no order to rely on, all of one commit. Throws StateMismatch at the first that is damaged, and
  // at the end when the index is not that of the rows: a later commit would not find each row. So a database that was
  // there before is read before the first commit(). `tell` is called meanwhile; what it throws ends the read.
  void read_rows(StateVisitor& into, const StateDatabase::Tell& tell = {});

  // The rows of all batches and the position, in one transaction. kTryLater: nothing was committed, storage is full or
  // busy. kRefused: the state on the disk is not known or is damaged; whoever opens it next finds out.
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches, const OutputPosition& position);

 private:
  using Statement = StateDatabase::Statement;

  explicit FileJournal(StateDatabase database) : database_(std::move(database)) {}
  void prepare_statements();
  std::uint64_t read_each_row(StateVisitor& into);
  std::uint64_t read_index();

  int write(std::span<const Batch> batches, const OutputPosition& position);
  int write_record(const std::string& source_id, const StateRecord& record);
  int write_position(const OutputPosition& position);

  StateDatabase database_;
  Checksum checksum_;
  LatestRows latest_;
  Statement begin_, commit_, rollback_, put_, remove_, move_;
};

}  // namespace sessionlogd
