#include "sinks/file/state_schema.h"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "core/state/sink.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {
namespace {

constexpr std::int64_t kApplicationId = 0x736c6764;  // "slgd", shown by file(1)
// 2: position has `begun`. 3: and `format`. 4: rows of the state lie in order of arrival.
constexpr std::int64_t kSchema = 4;
constexpr std::int64_t kNoSchema = 0;  // of an empty database

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

std::int64_t schema_of(StateDatabase& database) {
  const StateDatabase::Reading reading(database);
  const std::int64_t application = database.number("PRAGMA application_id");
  const std::int64_t schema = database.number("PRAGMA user_version");
  if (application == 0 && schema == 0 && database.number("SELECT count(*) FROM sqlite_schema") == 0) return kNoSchema;
  if (application != kApplicationId) {
    throw StateMismatch(fmt::format(
        "state {} is an SQLite database of another program: set state_dir to another directory", database.path()));
  }
  if (schema > kSchema) {
    throw StateMismatch(
        fmt::format("state {} was written by a newer sessionlogd (schema {}, this one knows up to {}): "
                    "install that version again",
                    database.path(), schema, kSchema));
  }
  if (schema < 1) database.damaged(fmt::format("its schema number is {}", schema));
  return schema;
}

void create_tables(StateDatabase& database) {
  database.execute(fmt::format("BEGIN IMMEDIATE;{}{}PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;",
                               kCreateState, kCreatePosition, kApplicationId, kSchema));
}

// Reads all pages, which FileJournal::read_rows() is about to do anyway: about 4 s per GB. That finds what this cannot:
// changed bytes within values. How pages hang together is one instruction of SQLite's, about half of the time: it
// tells nothing and is not ended meanwhile.
void check_pages(StateDatabase& database, const StateDatabase::Tell& tell) {
  const StateDatabase::Telling telling(database, tell, "checking the state");
  const StateDatabase::Statement row = database.prepare("PRAGMA quick_check(1)");
  database.next(row);
  if (const std::string_view found = text_of(row, 0); found != "ok") database.damaged(std::string(found));
}

void add_begun(StateDatabase& database) {
  database.execute(R"sql(
    BEGIN IMMEDIATE;
    ALTER TABLE position ADD COLUMN begun INTEGER NOT NULL DEFAULT 0;
    PRAGMA user_version = 2;
    COMMIT;)sql");
}

void add_format(StateDatabase& database) {
  database.execute(R"sql(
    BEGIN IMMEDIATE;
    ALTER TABLE position ADD COLUMN format TEXT NOT NULL DEFAULT 'ecs';
    PRAGMA user_version = 3;
    COMMIT;)sql");
}
static_assert(kFirstFormat == "ecs");

// Of rows with hardly a value the new ones and their index, which holds each key once more, take twice what the old
// ones did. They stand in the log, and then beside the old ones. With less the log could be committed, but not be taken
// in: then there would be room for nothing else, and no way back.
void need_room_for_another(StateDatabase& database) {
  constexpr std::uintmax_t kTimes = 5, kMargin = 1u << 20;
  // Not the file's size: its log may hold more.
  const auto bytes =
      static_cast<std::uintmax_t>(database.number("PRAGMA page_count") * database.number("PRAGMA page_size"));
  const std::uintmax_t needed = kTimes * bytes + kMargin;
  const std::uintmax_t room = std::filesystem::space(database.path()).available;
  if (room >= needed) return;
  throw TryLater(
      fmt::format("state {} is of an older version, and to bring it up to date takes {} MiB of room, and {} are there",
                  database.path(), (needed >> 20) + 1, room >> 20));
}

void order_by_arrival(StateDatabase& database) {
  need_room_for_another(database);
  database.execute(fmt::format(R"sql(
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

// One step for each schema before ours, each durable on its own. A database of an older daemon was stopped in one of
// these states, whenever that was.
void migrate(StateDatabase& database, std::int64_t from, const StateDatabase::Tell& tell) {
  const StateDatabase::Telling telling(database, tell, "bringing the state up to date");
  if (from < 2) add_begun(database);
  if (from < 3) add_format(database);
  if (from < 4) order_by_arrival(database);
}

}  // namespace

void bring_up_to_date(StateDatabase& database, const StateDatabase::Tell& tell) {
  std::int64_t schema = schema_of(database);
  if (schema == kNoSchema) {
    create_tables(database);
    schema = kSchema;
  }
  check_pages(database, tell);
  migrate(database, schema, tell);
}

void check_is_up_to_date(StateDatabase& database) {
  const std::int64_t schema = schema_of(database);
  if (schema == kSchema) return;
  if (schema == kNoSchema)
    throw std::runtime_error(fmt::format("state {} is empty: the daemon fills it when it starts", database.path()));
  throw std::runtime_error(
      fmt::format("state {} was written by an older sessionlogd: it is brought up to date when the daemon starts",
                  database.path()));
}

}  // namespace sessionlogd
