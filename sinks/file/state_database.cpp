#include "sinks/file/state_database.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/statvfs.h>

#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "core/state/sink.h"
#include "sinks/file/storage_error.h"

namespace sessionlogd {
namespace {

// An operator may look at the database while we run; nobody else writes to it.
constexpr int kBusyMilliseconds = 2'000;

// Instructions of SQLite's machine, of which a row takes some ten: half a millisecond of work.
constexpr int kInstructionsToTell = 10'000;

// Waiting helps: no room, or an operator's program holds the database. Not for what else a commit tries again
// (classify_sqlite): a start that ends is begun anew by systemd, which shows that it failed.
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
    case SQLITE_CONSTRAINT:  // rows that could not have been written
      return true;
    default:
      return code == SQLITE_IOERR_CORRUPTFS || code == SQLITE_IOERR_SHORT_READ;
  }
}

}  // namespace

StateDatabase::StateDatabase(std::string path)
    : StateDatabase(std::move(path), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
  configure();
}

StateDatabase StateDatabase::open_to_read(std::string path) { return {std::move(path), SQLITE_OPEN_READONLY}; }

StateDatabase::StateDatabase(std::string path, int flags) : path_(std::move(path)) {
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path_.c_str(), &db, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  db_.reset(db);
  if (code != SQLITE_OK) fail(code);
  sqlite3_busy_timeout(db_.get(), kBusyMilliseconds);
}

void StateDatabase::configure() {
  execute("PRAGMA cell_size_check = ON");
  const Statement mode = prepare("PRAGMA journal_mode = WAL");
  if (!next(mode) || text_of(mode, 0) != "wal") {
    throw std::runtime_error(
        fmt::format("state {}: its file system has no shared memory maps: set state_dir to a local one", path_));
  }
  execute("PRAGMA synchronous = FULL");
  // Debian's SQLite overwrites what is removed: it would all be written to the log once more.
  execute("PRAGMA secure_delete = OFF");
  execute("PRAGMA journal_size_limit = 67108864");  // a huge commit's log is cut back at the next checkpoint
}

StateDatabase::Statement StateDatabase::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail(code);
  return Statement(statement);
}

void StateDatabase::execute(const std::string& sql) {
  if (const int code = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK) fail(code);
}

std::int64_t StateDatabase::number(const char* sql) {
  const Statement row = prepare(sql);
  if (!next(row)) fail(SQLITE_DONE);
  return sqlite3_column_int64(row.get(), 0);
}

bool StateDatabase::next(const Statement& row) {
  const int code = sqlite3_step(row.get());
  if (code != SQLITE_ROW && code != SQLITE_DONE) fail(code);
  return code == SQLITE_ROW;
}

bool StateDatabase::in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

StateDatabase::Reading::Reading(StateDatabase& database)
    : database_(database), is_outermost_(!database.in_transaction()) {
  if (is_outermost_) database_.execute("BEGIN");
}

StateDatabase::Reading::~Reading() {
  if (is_outermost_) sqlite3_exec(database_.db_.get(), "COMMIT", nullptr, nullptr, nullptr);
}

StateDatabase::Telling::Telling(StateDatabase& database, const Tell& tell, std::string_view work)
    : database_(database), tell_(tell), work_(work) {
  if (!tell_) return;
  database_.telling_ = this;
  const auto tell_or_interrupt = [](void* self) { return static_cast<Telling*>(self)->tell() ? 0 : 1; };
  sqlite3_progress_handler(database_.db_.get(), kInstructionsToTell, tell_or_interrupt, this);
}

StateDatabase::Telling::~Telling() {
  sqlite3_progress_handler(database_.db_.get(), 0, nullptr, nullptr);
  database_.telling_ = nullptr;
}

// No exception may pass through SQLite: it waits here until the statement has ended.
bool StateDatabase::Telling::tell() noexcept {
  try {
    tell_(work_);
    return true;
  } catch (...) {
    thrown_ = std::current_exception();
    return false;
  }
}

void StateDatabase::fail(int code) const {
  if (code == SQLITE_INTERRUPT && telling_ != nullptr && telling_->thrown_) std::rethrow_exception(telling_->thrown_);

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

void StateDatabase::damaged(const std::string& how) const {
  throw StateMismatch(fmt::format(
      "state {} is damaged ({}): put back a copy of it (what the output received since is read from "
      "there); or let `sessionlogd state rebuild` make it from the output, as far as that reaches; or start "
      "afresh with `sessionlogd state init`, which delivers again what the sources still hold within "
      "`lookback`",
      path_, how));
}

std::string StateDatabase::describe(int code) const {
  std::string detail = fmt::format("state {}: {} (SQLite code {})", path_, sqlite3_errstr(code), code);
  if (const int system = sqlite3_system_errno(db_.get()); system != 0 && (code & 0xff) == SQLITE_IOERR) {
    detail += ": " + std::generic_category().message(system);
  }
  return detail;
}

void StateDatabase::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }
void StateDatabase::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

std::string_view text_of(const StateDatabase::Statement& row, int column) {
  const void* bytes = sqlite3_column_blob(row.get(), column);
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(row.get(), column))};
}

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
