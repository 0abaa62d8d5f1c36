// The durable state of a file sink: an SQLite database that every operator can open.
//
//   state     one row per StateRecord, with a checksum, for SQLite has none for what it stores
//   position  one row: up to where in which output file every line belongs to committed state
//
// WAL and synchronous=FULL: a commit that returned is on the disk. The only place that knows SQLite.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/state/batch.h"
#include "core/state/latest_rows.h"
#include "core/state/sink.h"
#include "sinks/formats/formats.h"

struct sqlite3;
struct sqlite3_stmt;

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
  // used.
  explicit FileJournal(std::string path);

  // Opens it to look only, also while a daemon writes to it. Throws like the constructor, also when there is none.
  static FileJournal open_to_read(std::string path);
  ~FileJournal();
  FileJournal(FileJournal&&) noexcept;

  // nullopt: nothing was ever committed. Throws StateMismatch when there are rows all the same.
  std::optional<OutputPosition> read_position();

  // Every row once, in no order to rely on. Throws StateMismatch at the first that is damaged.
  void read_rows(StateVisitor& into);

  // The rows of all batches and the position, in one transaction. kTryLater: nothing was committed, storage is full or
  // busy. kRefused: the state on the disk is not known or is damaged; whoever opens it next finds out.
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches, const OutputPosition& position);

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
  struct Keys {
    std::uint64_t sum = 0;  // of what each says, its type and its row's number, in whatever order they come
    bool in_order = true;   // each behind the one before
  };

  FileJournal() = default;
  void open(int flags);
  void configure();
  std::int64_t check_identity();
  void check_integrity();
  void check_index();
  void create_schema();
  void migrate(std::int64_t from);
  void add_begun();
  void add_format();
  void order_by_arrival();
  void need_room_for_another();
  void prepare_statements();

  Keys read_keys(const char* sql);
  Statement prepare(const char* sql);
  void execute(const std::string& sql);
  std::int64_t number(const char* sql);
  [[noreturn]] void fail(int code) const;
  [[noreturn]] void damaged(const std::string& how) const;
  std::string describe(int code) const;

  int write(std::span<const Batch> batches, const OutputPosition& position);
  int write_record(const std::string& source_id, const StateRecord& record);
  int write_position(const OutputPosition& position);

  std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
  LatestRows latest_;
  Statement begin_, commit_, rollback_, put_, remove_, move_;
};

// What a code of SQLite (an extended one) means to a commit.
ErrorKind classify_sqlite(int code);

}  // namespace sessionlogd
