#include "tests/sinks/support.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "sinks/file/output_line.h"

namespace sessionlogd::test {
namespace {

std::string session_name(std::uint64_t session) { return fmt::format("session-{}", session); }

using Database = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;

[[noreturn]] void fail(const std::string& path, const Database& db) {
  throw std::runtime_error(path + ": " + sqlite3_errmsg(db.get()));
}

Database open_database(const std::string& path) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
  Database db(opened, sqlite3_close);
  if (code != SQLITE_OK) fail(path, db);
  return db;
}

}  // namespace

TempDir::TempDir(const std::filesystem::path& parent) {
  std::string pattern = (parent / "sinks-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path quick_directory() {
  const std::filesystem::path memory = "/dev/shm";
  return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

void write_text(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc).write(text.data(), static_cast<std::streamsize>(text.size()));
}

void append_text(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary | std::ios::app).write(text.data(), static_cast<std::streamsize>(text.size()));
}

void overwrite_at(const std::string& path, std::size_t offset, std::string_view bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(offset));
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

void execute(const std::string& database, const std::string& sql) {
  const Database db = open_database(database);
  if (sqlite3_exec(db.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(database, db);
}

std::int64_t number(const std::string& database, const std::string& sql) {
  const Database db = open_database(database);
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(db.get(), sql.c_str(), -1, &prepared, nullptr);
  const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> row(prepared, sqlite3_finalize);
  if (sqlite3_step(row.get()) != SQLITE_ROW) fail(database, db);
  return sqlite3_column_int64(row.get(), 0);
}

void make_older(const std::string& database, int schema) {
  execute(database, R"sql(
    BEGIN;
    ALTER TABLE state RENAME TO newer;
    CREATE TABLE state (source TEXT NOT NULL, session INTEGER NOT NULL, part INTEGER NOT NULL, value BLOB NOT NULL,
      checksum INTEGER NOT NULL, PRIMARY KEY (source, session, part)) WITHOUT ROWID;
    INSERT INTO state SELECT source, session, part, value, checksum FROM newer;
    DROP TABLE newer;
    COMMIT;)sql");
  if (schema < 3) execute(database, "ALTER TABLE position DROP COLUMN format");
  if (schema < 2) execute(database, "ALTER TABLE position DROP COLUMN begun");
  execute(database, fmt::format("PRAGMA user_version = {}", schema));
}

std::string event_line(std::uint64_t session, std::uint64_t entry, std::string_view message) {
  return fmt::format(
      R"({{"@timestamp":"2026-11-21T20:41:12Z","message":"{}","event":{{"id":"{:016x}{:016x}","hash":"{:08x}","duration":687}},)"
      R"("sessionlog":{{"source":"src","session_id":"{}"}}}})"
      "\n",
      message, session, entry, static_cast<std::uint32_t>(entry + 1), session_name(session));
}

Batch batch_of(std::uint64_t session, std::uint64_t first, std::uint64_t count, std::string_view message) {
  Batch batch;
  batch.source_id = "src";
  batch.session_id = session_name(session);
  batch.session_key = session;
  for (std::uint64_t entry = first; entry < first + count; ++entry) {
    const std::string line = event_line(session, entry, message);
    batch.events += line;
    batch.index.push_back({static_cast<std::uint32_t>(line.size()), entry, static_cast<std::uint32_t>(entry + 1)});
  }
  batch.records.push_back({session, StateRecord::kSessionPart, std::to_string(first + count)});
  return batch;
}

void CountingState::record(std::string_view, const StateRecord& record) {
  if (deliveries_ != 0) complaints_.push_back("a row after a delivered event");
  counts_[record.session_key] = std::stoull(record.value);
}

void CountingState::delivered(const Delivered& event) {
  ++deliveries_;
  std::uint64_t& next = counts_[event.session_key];
  if (event.entry_key != next || event.hash != static_cast<std::uint32_t>(next + 1) || event.source_id != "src" ||
      event.session_id != session_name(event.session_key)) {
    complaints_.push_back(
        fmt::format("session {}: entry {} where {} was due", event.session_key, event.entry_key, next));
  }
  next = event.entry_key + 1;
  changed_[event.session_key] = true;
}

std::vector<Batch> CountingState::settle() {
  ++settlements_;
  Batch batch;
  batch.source_id = "src";
  for (const auto& [session, changed] : changed_) {
    batch.records.push_back({session, StateRecord::kSessionPart, std::to_string(counts_[session])});
  }
  changed_.clear();
  return {batch};
}

std::uint64_t CountingState::count(std::uint64_t session) const {
  const auto found = counts_.find(session);
  return found == counts_.end() ? 0 : found->second;
}

CountingState count_output(const std::string& text) {
  CountingState state;
  OutputLineReader reader;
  std::string padded = text + std::string(OutputLineReader::kPadding, ' ');
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) throw std::runtime_error("the last line has no end");
    const std::string_view line(padded.data() + begin, end - begin);
    if (line.find_first_not_of(' ') != std::string_view::npos) {
      const auto event = reader.read(line.data(), line.size());
      if (!event) throw std::runtime_error("a line that is no event: " + std::string(line.substr(0, 200)));
      state.delivered(*event);
    }
    begin = end + 1;
  }
  return state;
}

}  // namespace sessionlogd::test
