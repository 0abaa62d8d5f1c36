#include "sinks/file/file_journal.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <string_view>
#include <tuple>
#include <utility>

#include "sinks/file/state_schema.h"

namespace sessionlogd {
namespace {

std::int64_t checksum_of(Checksum& checksum, std::string_view source_id, const StateRecord& record) {
  return checksum.add(source_id)
      .add(static_cast<std::int64_t>(record.session_key))
      .add(std::int64_t{record.part})
      .add(record.value)
      .take();
}

// Without `begun` where it is not known, as schema 1 had it, and without the format where it is that of schema 2.
std::int64_t checksum_of(Checksum& checksum, const OutputPosition& position) {
  checksum.add(position.sequence)
      .add(static_cast<std::int64_t>(position.device))
      .add(static_cast<std::int64_t>(position.inode))
      .add(static_cast<std::int64_t>(position.offset))
      .add(position.path);
  if (position.begun != 0) checksum.add(position.begun);
  if (position.format != kFirstFormat) checksum.add(position.format);
  return checksum.take();
}

constexpr const char* kWrongIndex = "its index is not that of its rows";

// What rows and index both hold of a row.
struct Key {
  std::int64_t row_number;
  std::string_view source;
  std::int64_t session, part;
};

// The types first: reading a column as another type may change it. A commit finds no row by a key of other types,
// though its bytes be the same.
Key key_of(StateDatabase& database, const StateDatabase::Statement& row) {
  if (sqlite3_column_type(row.get(), 1) != SQLITE_TEXT || sqlite3_column_type(row.get(), 2) != SQLITE_INTEGER ||
      sqlite3_column_type(row.get(), 3) != SQLITE_INTEGER) {
    database.damaged("a row's key is not of its types");
  }
  return {.row_number = sqlite3_column_int64(row.get(), 0),
          .source = text_of(row, 1),
          .session = sqlite3_column_int64(row.get(), 2),
          .part = sqlite3_column_int64(row.get(), 3)};
}

std::uint64_t sum_of(Checksum& checksum, const Key& key) {
  checksum.add(key.row_number).add(key.source).add(key.session).add(key.part);
  return static_cast<std::uint64_t>(checksum.take());
}

// Runs a statement that gives no rows; it is ready for the next use whatever happened.
int run(sqlite3_stmt* statement) {
  const int code = sqlite3_step(statement);
  sqlite3_reset(statement);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

}  // namespace

FileJournal::FileJournal(std::string path, const StateDatabase::Tell& tell) : database_(std::move(path)) {
  bring_up_to_date(database_, tell);
  prepare_statements();
}

FileJournal FileJournal::open_to_read(std::string path) {
  FileJournal journal(StateDatabase::open_to_read(std::move(path)));
  check_is_up_to_date(journal.database_);
  return journal;
}

std::optional<OutputPosition> FileJournal::read_position() {
  const StateDatabase::Reading reading(database_);
  const Statement row =
      database_.prepare("SELECT sequence, device, inode, offset, path, checksum, begun, format FROM position");
  if (!database_.next(row)) {
    if (database_.number("SELECT count(*) FROM (SELECT 1 FROM state LIMIT 1)") != 0)
      database_.damaged("it holds sessions but no position");
    return std::nullopt;
  }
  OutputPosition position;
  position.sequence = sqlite3_column_int64(row.get(), 0);
  position.device = static_cast<std::uint64_t>(sqlite3_column_int64(row.get(), 1));
  position.inode = static_cast<std::uint64_t>(sqlite3_column_int64(row.get(), 2));
  position.offset = static_cast<std::uint64_t>(sqlite3_column_int64(row.get(), 3));
  position.path = text_of(row, 4);
  position.begun = sqlite3_column_int64(row.get(), 6);
  position.format = text_of(row, 7);
  if (checksum_of(checksum_, position) != sqlite3_column_int64(row.get(), 5))
    database_.damaged("the checksum of the position is wrong");
  return position;
}

// Rows and index are each scanned once, in the order in which they lie, and the sums of their keys are compared.
// PRAGMA integrity_check says the same, but looks up one row after the other in a tree that lies in another order.
void FileJournal::read_rows(StateVisitor& into, const StateDatabase::Tell& tell) {
  const StateDatabase::Reading reading(database_);
  const StateDatabase::Telling telling(database_, tell, "reading the state");
  const std::uint64_t of_rows = read_each_row(into);
  if (read_index() != of_rows) database_.damaged(kWrongIndex);
}

// The sum of their keys.
std::uint64_t FileJournal::read_each_row(StateVisitor& into) {
  const Statement row =
      database_.prepare("SELECT rowid, source, session, part, value, checksum FROM state NOT INDEXED");
  std::uint64_t sum = 0;
  StateRecord record;
  while (database_.next(row)) {
    const Key key = key_of(database_, row);
    record.session_key = static_cast<std::uint64_t>(key.session);
    record.part = static_cast<std::int32_t>(key.part);
    record.value = text_of(row, 4);
    if (checksum_of(checksum_, key.source, record) != sqlite3_column_int64(row.get(), 5) || record.part != key.part) {
      database_.damaged(fmt::format("the checksum of source={} session_key={:016x} part={} is wrong", key.source,
                                    record.session_key, record.part));
    }
    into.record(key.source, record);
    sum += sum_of(checksum_, key);
  }
  return sum;
}

// The sum of its keys, which lie in order, each once.
std::uint64_t FileJournal::read_index() {
  const Statement row = database_.prepare(
      "SELECT rowid, source, session, part FROM state INDEXED BY address ORDER BY source, session, part");
  std::uint64_t sum = 0;
  using Address = std::tuple<std::string_view, std::int64_t, std::int64_t>;
  std::optional<std::tuple<std::string, std::int64_t, std::int64_t>> last;
  while (database_.next(row)) {
    const Key key = key_of(database_, row);
    const Address address(key.source, key.session, key.part);
    if (last && Address(*last) >= address) database_.damaged(kWrongIndex);
    last = address;
    sum += sum_of(checksum_, key);
  }
  return sum;
}

Result<void> FileJournal::commit(std::span<const Batch> batches, const OutputPosition& position) {
  const int code = write(batches, position);
  if (code == SQLITE_OK) return {};
  Error error(classify_sqlite(code), database_.describe(code));
  if (database_.in_transaction()) (void)run(rollback_.get());
  return error;
}

int FileJournal::write(std::span<const Batch> batches, const OutputPosition& position) {
  if (const int code = run(begin_.get()); code != SQLITE_OK) return code;
  for (const LatestRows::Row& row : latest_.of(batches)) {
    if (const int code = write_record(*row.source_id, *row.record); code != SQLITE_OK) return code;
  }
  if (const int code = write_position(position); code != SQLITE_OK) return code;
  return run(commit_.get());
}

int FileJournal::write_record(const std::string& source_id, const StateRecord& record) {
  sqlite3_stmt* statement = record.value.empty() ? remove_.get() : put_.get();
  sqlite3_bind_text64(statement, 1, source_id.data(), source_id.size(), SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_int64(statement, 2, static_cast<std::int64_t>(record.session_key));
  sqlite3_bind_int(statement, 3, record.part);
  if (!record.value.empty()) {
    sqlite3_bind_blob64(statement, 4, record.value.data(), record.value.size(), SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, checksum_of(checksum_, source_id, record));
  }
  return run(statement);
}

int FileJournal::write_position(const OutputPosition& position) {
  sqlite3_stmt* statement = move_.get();
  sqlite3_bind_int64(statement, 1, position.sequence);
  sqlite3_bind_int64(statement, 2, static_cast<std::int64_t>(position.device));
  sqlite3_bind_int64(statement, 3, static_cast<std::int64_t>(position.inode));
  sqlite3_bind_int64(statement, 4, static_cast<std::int64_t>(position.offset));
  sqlite3_bind_text64(statement, 5, position.path.data(), position.path.size(), SQLITE_STATIC, SQLITE_UTF8);
  sqlite3_bind_int64(statement, 6, checksum_of(checksum_, position));
  sqlite3_bind_int64(statement, 7, position.begun);
  sqlite3_bind_text64(statement, 8, position.format.data(), position.format.size(), SQLITE_STATIC, SQLITE_UTF8);
  return run(statement);
}

void FileJournal::prepare_statements() {
  begin_ = database_.prepare("BEGIN IMMEDIATE");
  commit_ = database_.prepare("COMMIT");
  rollback_ = database_.prepare("ROLLBACK");
  put_ = database_.prepare(
      "INSERT INTO state (source, session, part, value, checksum) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (source, session, part) DO UPDATE SET value = excluded.value, checksum = excluded.checksum");
  remove_ = database_.prepare("DELETE FROM state WHERE source = ? AND session = ? AND part = ?");
  move_ = database_.prepare(
      "REPLACE INTO position (only_row, sequence, device, inode, offset, path, checksum, begun, format) "
      "VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)");
}

}  // namespace sessionlogd
