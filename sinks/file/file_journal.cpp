#include "sinks/file/file_journal.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/statvfs.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <filesystem>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>

#include "sinks/file/storage_error.h"

namespace sessionlogd {
namespace {

constexpr std::int64_t kApplicationId = 0x736c6764;  // "slgd", shown by file(1)
// 2: position has `begun`. 3: and `format`. 4: rows of the state lie in order of arrival.
constexpr std::int64_t kSchema = 4;

// An operator may look at the database while we run; nobody else writes to it.
constexpr int kBusyMilliseconds = 2'000;

// Keys are hashes. In their order each commit's rows would lie on a page each; in order of arrival those of a commit
// lie together, and what is changed together later does, too.
constexpr const char* kCreateState = R"sql(
  CREATE TABLE state (
    source   TEXT    NOT NULL,
    session  INTEGER NOT NULL,
    part     INTEGER NOT NULL,
    value    BLOB    NOT NULL,
    checksum INTEGER NOT NULL
  );
  CREATE UNIQUE INDEX address ON state (source, session, part);)sql";

constexpr const char* kCreatePosition = R"sql(
  CREATE TABLE position (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    sequence INTEGER NOT NULL,
    device   INTEGER NOT NULL,
    inode    INTEGER NOT NULL,
    offset   INTEGER NOT NULL,
    path     TEXT    NOT NULL,
    checksum INTEGER NOT NULL,
    begun    INTEGER NOT NULL,
    format   TEXT    NOT NULL
  );)sql";

// XXH3 over key and value, the lengths included, kept with every row.
class Checksum {
 public:
  Checksum() { XXH3_64bits_reset(&state_); }
  Checksum& add(std::int64_t number) {
    XXH3_64bits_update(&state_, &number, sizeof(number));
    return *this;
  }
  Checksum& add(std::string_view bytes) {
    XXH3_64bits_update(&state_, bytes.data(), bytes.size());
    return add(static_cast<std::int64_t>(bytes.size()));
  }
  std::int64_t value() const { return static_cast<std::int64_t>(XXH3_64bits_digest(&state_)); }

 private:
  XXH3_state_t state_;
};

std::int64_t checksum_of(std::string_view source_id, const StateRecord& record) {
  return Checksum{}
      .add(source_id)
      .add(static_cast<std::int64_t>(record.session_key))
      .add(std::int64_t{record.part})
      .add(record.value)
      .value();
}

// Without `begun` where it is not known, as schema 1 had it, and without the format where it is that of schema 2.
std::int64_t checksum_of(const OutputPosition& position) {
  Checksum checksum;
  checksum.add(position.sequence)
      .add(static_cast<std::int64_t>(position.device))
      .add(static_cast<std::int64_t>(position.inode))
      .add(static_cast<std::int64_t>(position.offset))
      .add(position.path);
  if (position.begun != 0) checksum.add(position.begun);
  if (position.format != kFirstFormat) checksum.add(position.format);
  return checksum.value();
}

std::string_view text_of(sqlite3_stmt* row, int column) {
  const void* bytes = sqlite3_column_blob(row, column);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(row, column))};
}

// Runs a statement that gives no rows; it is ready for the next use whatever happened.
int run(sqlite3_stmt* statement) {
  const int code = sqlite3_step(statement);
  sqlite3_reset(statement);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

// Waiting helps: no room, or an operator's program holds the database.
bool will_pass(sqlite3* db, int code, const std::string& path) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return true;
    case SQLITE_IOERR:
      return is_out_of_room(sqlite3_system_errno(db));
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN: {
      struct statvfs info {};
      const std::string directory = std::filesystem::path(path).parent_path().string();
      return ::statvfs(directory.c_str(), &info) == 0 && (info.f_flag & ST_RDONLY) != 0;
    }
    default:
      return false;
  }
}

bool means_damage(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return true;
    default:
      return code == SQLITE_IOERR_CORRUPTFS || code == SQLITE_IOERR_SHORT_READ;
  }
}

}  // namespace

FileJournal::FileJournal(std::string path) : path_(std::move(path)) {
  open(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  configure();
  const std::int64_t schema = check_identity();
  check_integrity();
  migrate(schema);
  check_index();
  prepare_statements();
}

FileJournal FileJournal::open_to_read(std::string path) {
  FileJournal journal;
  journal.path_ = std::move(path);
  journal.open(SQLITE_OPEN_READONLY);
  if (journal.check_identity() != kSchema) {
    throw std::runtime_error(
        fmt::format("state {} was written by an older sessionlogd: it is brought up to date when the daemon starts",
                    journal.path_));
  }
  return journal;
}

FileJournal::FileJournal(FileJournal&&) noexcept = default;
FileJournal::~FileJournal() = default;

void FileJournal::open(int flags) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path_.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_timeout(db_.get(), kBusyMilliseconds);
}

std::optional<OutputPosition> FileJournal::read_position() {
  const Statement row = prepare("SELECT sequence, device, inode, offset, path, checksum, begun, format FROM position");
  const int code = sqlite3_step(row.get());
  if (code == SQLITE_DONE) {
    if (number("SELECT count(*) FROM (SELECT 1 FROM state LIMIT 1)") != 0) damaged("it holds sessions but no position");
    return std::nullopt;
  }
  if (code != SQLITE_ROW) fail(code);
  OutputPosition position;
  position.sequence = sqlite3_column_int64(row.get(), 0);
  position.device = static_cast<std::uint64_t>(sqlite3_column_int64(row.get(), 1));
  position.inode = static_cast<std::uint64_t>(sqlite3_column_int64(row.get(), 2));
  position.offset = static_cast<std::uint64_t>(sqlite3_column_int64(row.get(), 3));
  position.path = text_of(row.get(), 4);
  position.begun = sqlite3_column_int64(row.get(), 6);
  position.format = text_of(row.get(), 7);
  if (checksum_of(position) != sqlite3_column_int64(row.get(), 5)) damaged("the checksum of the position is wrong");
  return position;
}

void FileJournal::read_rows(StateVisitor& into) {
  const Statement row = prepare("SELECT source, session, part, value, checksum FROM state");
  int code = SQLITE_OK;
  StateRecord record;
  while ((code = sqlite3_step(row.get())) == SQLITE_ROW) {
    const std::string_view source_id = text_of(row.get(), 0);
    record.session_key = static_cast<std::uint64_t>(sqlite3_column_int64(row.get(), 1));
    record.part = sqlite3_column_int(row.get(), 2);
    record.value = text_of(row.get(), 3);
    if (checksum_of(source_id, record) != sqlite3_column_int64(row.get(), 4)) {
      damaged(fmt::format("the checksum of source={} session_key={:016x} part={} is wrong", source_id,
                          record.session_key, record.part));
    }
    into.record(source_id, record);
  }
  if (code != SQLITE_DONE) fail(code);
}

Result<void> FileJournal::commit(std::span<const Batch> batches, const OutputPosition& position) {
  const int code = write(batches, position);
  if (code == SQLITE_OK) return {};
  Error error(classify_sqlite(code), describe(code));
  if (sqlite3_get_autocommit(db_.get()) == 0) (void)run(rollback_.get());
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
    sqlite3_bind_int64(statement, 5, checksum_of(source_id, record));
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
  sqlite3_bind_int64(statement, 6, checksum_of(position));
  sqlite3_bind_int64(statement, 7, position.begun);
  sqlite3_bind_text64(statement, 8, position.format.data(), position.format.size(), SQLITE_STATIC, SQLITE_UTF8);
  return run(statement);
}

void FileJournal::configure() {
  execute("PRAGMA cell_size_check = ON");
  const Statement mode = prepare("PRAGMA journal_mode = WAL");
  if (const int code = sqlite3_step(mode.get()); code != SQLITE_ROW) fail(code);
  if (text_of(mode.get(), 0) != "wal") {
    throw std::runtime_error(
        fmt::format("state {}: its file system has no shared memory maps: set state_dir to a local one", path_));
  }
  execute("PRAGMA synchronous = FULL");
  execute("PRAGMA journal_size_limit = 67108864");  // a huge commit's log is cut back at the next checkpoint
}

std::int64_t FileJournal::check_identity() {
  const std::int64_t application = number("PRAGMA application_id");
  const std::int64_t schema = number("PRAGMA user_version");
  if (application == 0 && schema == 0 && number("SELECT count(*) FROM sqlite_schema") == 0) {
    create_schema();
    return kSchema;
  }
  if (application != kApplicationId) {
    throw StateMismatch(
        fmt::format("state {} is an SQLite database of another program: set state_dir to another directory", path_));
  }
  if (schema > kSchema) {
    throw StateMismatch(
        fmt::format("state {} was written by a newer sessionlogd (schema {}, this one knows up to {}): "
                    "install that version again",
                    path_, schema, kSchema));
  }
  if (schema < 1) damaged(fmt::format("its schema number is {}", schema));
  return schema;
}

// Reads all pages, which read_rows() is about to do anyway: about 4 s per GB. read_rows() finds what this cannot:
// changed bytes within values.
void FileJournal::check_integrity() {
  const Statement row = prepare("PRAGMA quick_check(1)");
  if (const int code = sqlite3_step(row.get()); code != SQLITE_ROW) fail(code);
  if (const std::string_view found = text_of(row.get(), 0); found != "ok") damaged(std::string(found));
}

// Whether a later commit finds each row that is there: the index holds the keys of the rows and no others, in order.
// PRAGMA integrity_check says so, too, but looks up one row after the other in a tree that lies in another order.
void FileJournal::check_index() {
  const Keys of_rows = read_keys("SELECT rowid, source, session, part FROM state NOT INDEXED");
  const Keys of_index =
      read_keys("SELECT rowid, source, session, part FROM state INDEXED BY address ORDER BY source, session, part");
  if (of_rows.sum != of_index.sum || !of_index.in_order) damaged("its index is not that of its rows");
}

FileJournal::Keys FileJournal::read_keys(const char* sql) {
  const Statement row = prepare(sql);
  Keys keys;
  std::tuple<std::string, std::int64_t, std::int64_t> last;
  bool is_first = true;
  int code = SQLITE_OK;
  while ((code = sqlite3_step(row.get())) == SQLITE_ROW) {
    const std::string_view source = text_of(row.get(), 1);
    const std::int64_t session = sqlite3_column_int64(row.get(), 2), part = sqlite3_column_int64(row.get(), 3);
    keys.in_order &= is_first || last < std::tie(source, session, part);
    last = std::tie(source, session, part);
    is_first = false;
    Checksum sum;
    sum.add(sqlite3_column_int64(row.get(), 0)).add(source).add(session).add(part);
    for (int column = 1; column <= 3; ++column) sum.add(std::int64_t{sqlite3_column_type(row.get(), column)});
    keys.sum += static_cast<std::uint64_t>(sum.value());
  }
  if (code != SQLITE_DONE) fail(code);
  return keys;
}

void FileJournal::create_schema() {
  execute(fmt::format("BEGIN IMMEDIATE;{}{}PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;", kCreateState,
                      kCreatePosition, kApplicationId, kSchema));
}

// One step for each schema before ours, each durable on its own. A database of an older daemon was stopped in one of
// these states, whenever that was.
void FileJournal::migrate(std::int64_t from) {
  if (from < 2) add_begun();
  if (from < 3) add_format();
  if (from < 4) order_by_arrival();
}

void FileJournal::add_begun() {
  execute(R"sql(
    BEGIN IMMEDIATE;
    ALTER TABLE position ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
    PRAGMA user_version = 2;
    COMMIT;)sql");
}

void FileJournal::add_format() {
  execute(R"sql(
    BEGIN IMMEDIATE;
    ALTER TABLE position ADD COLUMN format TEXT NOT NULL DEFAULT 'ecs';
    PRAGMA user_version = 3;
    COMMIT;)sql");
}
static_assert(kFirstFormat == "ecs");

void FileJournal::order_by_arrival() {
  need_room_for_another();
  execute(fmt::format(R"sql(
    BEGIN IMMEDIATE;
    ALTER TABLE state RENAME TO state_by_key;
    {}
    INSERT INTO state (source, session, part, value, checksum)
      SELECT source, session, part, value, checksum FROM state_by_key;
    DROP TABLE state_by_key;
    PRAGMA user_version = 4;
    COMMIT;)sql",
                      kCreateState));
}

// Beside the old rows stand the new ones, and twice as much in the log. With less the log could be committed, but not
// be taken in: then there would be room for nothing else, and no way back.
void FileJournal::need_room_for_another() {
  constexpr std::uintmax_t kMargin = 1u << 20;
  // Not the file's size: its log may hold more.
  const auto bytes = static_cast<std::uintmax_t>(number("PRAGMA page_count") * number("PRAGMA page_size"));
  const std::uintmax_t needed = bytes * 13 / 4 + kMargin;
  const std::uintmax_t room = std::filesystem::space(path_).available;
  if (room >= needed) return;
  throw TryLater(
      fmt::format("state {} is of an older version, and to bring it up to date takes {} MiB of room, and {} are there",
                  path_, (needed >> 20) + 1, room >> 20));
}

void FileJournal::prepare_statements() {
  begin_ = prepare("BEGIN IMMEDIATE");
  commit_ = prepare("COMMIT");
  rollback_ = prepare("ROLLBACK");
  put_ = prepare(
      "INSERT INTO state (source, session, part, value, checksum) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (source, session, part) DO UPDATE SET value = excluded.value, checksum = excluded.checksum");
  remove_ = prepare("DELETE FROM state WHERE source = ? AND session = ? AND part = ?");
  move_ = prepare(
      "REPLACE INTO position (only_row, sequence, device, inode, offset, path, checksum, begun, format) "
      "VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)");
}

FileJournal::Statement FileJournal::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  return Statement(statement);
}

void FileJournal::execute(const std::string& sql) {
  if (const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

std::int64_t FileJournal::number(const char* sql) {
  const Statement row = prepare(sql);
  if (const int code = sqlite3_step(row.get()); code != SQLITE_ROW) fail(code);
  return sqlite3_column_int64(row.get(), 0);
}

void FileJournal::fail(int code) const {
  // Somebody else removes it while it is read.
  if ((code & 0xff) == SQLITE_IOERR && !std::filesystem::exists(path_)) {
    throw StateMismatch(fmt::format(
        "state {} was removed or replaced while it was in use: put it back, or let `sessionlogd state rebuild` make it "
        "from the output",
        path_));
  }
  if (will_pass(db_.get(), code, path_)) throw TryLater(describe(code));
  if (means_damage(code)) damaged(sqlite3_errmsg(db_.get()));
  if (code == SQLITE_ERROR) damaged(sqlite3_errmsg(db_.get()));  // a table or column that is not there
  throw std::runtime_error(describe(code));
}

void FileJournal::damaged(const std::string& how) const {
  throw StateMismatch(fmt::format(
      "state {} is damaged ({}): put back a copy of it (what the output received since is read from "
      "there); or let `sessionlogd state rebuild` make it from the output, as far as that reaches; or start "
      "afresh with `sessionlogd state init`, which delivers again what the sources still hold within "
      "`lookback`",
      path_, how));
}

std::string FileJournal::describe(int code) const {
  std::string detail = fmt::format("state {}: {} (SQLite code {})", path_, sqlite3_errstr(code), code);
  if (const int system = sqlite3_system_errno(db_.get()); system != 0 && (code & 0xff) == SQLITE_IOERR) {
    detail += ": " + std::generic_category().message(system);
  }
  return detail;
}

void FileJournal::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }
void FileJournal::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

ErrorKind classify_sqlite(int code) {
  switch (code) {
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
    case SQLITE_READONLY_DBMOVED:
      return ErrorKind::kRefused;
    default:
      break;
  }
  if (means_damage(code)) return ErrorKind::kRefused;
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
      return ErrorKind::kTryLater;
    default:
      return ErrorKind::kRefused;
  }
}

}  // namespace sessionlogd
