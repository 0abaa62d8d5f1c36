#include "sinks/file/file_journal.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdlib>
#include <random>
#include <set>

#include "sinks/file/file_sink.h"
#include "sinks/file/state_database.h"
#include "sinks/file/state_dir.h"
#include "sinks/formats/ecs.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;
using test::execute;
using test::make_older;
using test::number;
using testing::HasSubstr;

struct Rows : StateVisitor {
  void record(std::string_view source_id, const StateRecord& record) override {
    rows[{std::string(source_id), record.session_key, record.part}] = record.value;
  }
  void delivered(const Delivered&) override {}
  std::vector<Batch> settle() override { return {}; }

  std::map<std::tuple<std::string, std::uint64_t, std::int32_t>, std::string> rows;
};

struct Content {
  std::optional<OutputPosition> position;
  decltype(Rows::rows) rows;

  bool operator==(const Content&) const = default;
};

Content read_all(const std::string& path) {
  FileJournal journal(path);
  Content content{journal.read_position(), {}};
  Rows rows;
  journal.read_rows(rows);
  content.rows = rows.rows;
  return content;
}

std::string mismatch(const std::string& path) {
  try {
    read_all(path);
    return "nothing was thrown";
  } catch (const StateMismatch& error) {
    return error.what();
  }
}

std::uint64_t seed() {
  const char* given = std::getenv("SINKS_SEED");
  const std::uint64_t seed = given != nullptr ? std::stoull(given) : std::random_device{}();
  std::printf("SINKS_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

// Where; every second round where it hurts most: in the headers of file and pages.
std::size_t flip_a_bit(std::string& database, std::mt19937_64& random, int round) {
  const std::size_t page = random() % (database.size() / 4096) * 4096;
  const std::size_t at = round % 2 == 0 ? random() % database.size() : page + random() % 120;
  database[at] = static_cast<char>(database[at] ^ (1 << random() % 8));
  return at;
}

void remove_database(const std::string& path) {
  for (const char* part : {"", "-wal", "-shm"}) fs::remove(path + part);
}

Batch rows_of(std::uint64_t first, std::uint64_t count, std::size_t value_bytes) {
  Batch batch;
  batch.source_id = "src";
  for (std::uint64_t key = first; key < first + count; ++key) {
    batch.records.push_back(
        {key, StateRecord::kSessionPart, std::string(value_bytes, static_cast<char>('a' + key % 26))});
  }
  return batch;
}

const OutputPosition kPosition{
    .sequence = 7, .device = ~0ull, .inode = ~0ull - 1, .offset = 1ull << 40, .path = "/log/ev'ents"};

class FileJournalTest : public testing::Test {
 protected:
  void commit(const Batch& batch, const OutputPosition& position = kPosition) {
    const Result<void> result = FileJournal(path).commit({&batch, 1}, position);
    ASSERT_TRUE(result) << result.error().detail;
  }

  test::TempDir dir;
  std::string path = dir / "state.db";
};

TEST_F(FileJournalTest, GivesBackRowsAndPosition) {
  EXPECT_EQ(read_all(path), Content{});
  commit(rows_of(1, 2, 3));
  const Content content = read_all(path);
  EXPECT_EQ(content.position, kPosition);
  EXPECT_EQ(content.rows.size(), 2u);
  EXPECT_EQ((content.rows.at({"src", 2, StateRecord::kSessionPart})), "ccc");
}

// What earlier versions have written: another function, or another order of what is summed, and no state is known any
// more.
TEST_F(FileJournalTest, ChecksumsAreThoseOfAllVersions) {
  const std::map<std::size_t, std::int64_t> known = {
      {1, -4868804353421942445},   {3, 5393303143487342096},   {40, -2290955245108739800},  {120, 2754678622973176237},
      {200, -5735593786750603053}, {400, 5487120248652156169}, {5000, -5801644216656245667}};
  Batch batch;
  batch.source_id = "src";
  for (const auto& [bytes, checksum] : known)
    batch.records.push_back({batch.records.size() + 1, StateRecord::kSessionPart, std::string(bytes, 'v')});
  batch.records.push_back({~0ull, 7, "chunk"});
  commit(batch);
  for (const auto& [bytes, checksum] : known) {
    EXPECT_EQ(number(path, fmt::format("SELECT checksum FROM state WHERE length(value) = {} AND part = -1", bytes)),
              checksum);
  }
  EXPECT_EQ(number(path, "SELECT checksum FROM state WHERE part = 7"), -1968328621620296505);
  EXPECT_EQ(number(path, "SELECT checksum FROM position"), 2338086231242768860);
}

TEST_F(FileJournalTest, RefusesANewerSchemaAndOtherPrograms) {
  commit(rows_of(1, 2, 3));
  execute(path, "PRAGMA user_version = 5");
  EXPECT_THAT(mismatch(path), HasSubstr("newer sessionlogd (schema 5"));

  test::write_text(dir / "other.db", "");
  execute(dir / "other.db", "CREATE TABLE t (x)");
  EXPECT_THAT(mismatch(dir / "other.db"), HasSubstr("another program"));

  test::write_text(dir / "text", std::string(10'000, 'x'));
  EXPECT_THAT(mismatch(dir / "text"), HasSubstr("is damaged"));
}

TEST_F(FileJournalTest, BringsADatabaseOfTheFirstSchemaUpToDate) {
  commit(rows_of(1, 2, 3));
  const Content before = read_all(path);
  ASSERT_EQ(before.position->begun, 0) << "as the first schema had it";
  make_older(path, 1);
  EXPECT_THROW(FileJournal::open_to_read(path), std::runtime_error) << "whoever only looks changes nothing";
  EXPECT_EQ(read_all(path), before);
  OutputPosition later = *before.position;
  later.begun = 1'795'293'672;
  ASSERT_TRUE(FileJournal(path).commit({}, later));
  EXPECT_EQ(read_all(path).position, later);
}

TEST_F(FileJournalTest, BringsADatabaseOfTheSecondSchemaUpToDate) {
  OutputPosition with_begun = kPosition;
  with_begun.begun = 1'795'293'672;
  commit(rows_of(1, 2, 3), with_begun);
  const Content before = read_all(path);
  make_older(path, 2);
  EXPECT_EQ(read_all(path), before);
  EXPECT_EQ(read_all(path).position->format, "ecs");
  OutputPosition later = with_begun;
  later.format = "another";
  ASSERT_TRUE(FileJournal(path).commit({}, later));
  EXPECT_EQ(read_all(path).position, later);
  execute(path, "UPDATE position SET format = 'ecs'");
  EXPECT_THAT(mismatch(path), HasSubstr("checksum of the position")) << "the format counts";
}

TEST_F(FileJournalTest, BringsADatabaseOfTheThirdSchemaUpToDate) {
  commit(rows_of(1, 300, 50));
  Batch of_another = rows_of(1, 2, 3);
  of_another.source_id = "another";
  of_another.records.push_back({1, 0, "chunk"});
  commit(of_another);
  const Content before = read_all(path);
  make_older(path, 3);
  EXPECT_THROW(execute(path, "SELECT rowid FROM state"), std::runtime_error);
  EXPECT_EQ(read_all(path), before);
  execute(path, "SELECT rowid FROM state");
  commit(rows_of(1, 1, 7));
  EXPECT_EQ(read_all(path).rows.size(), before.rows.size());
  EXPECT_EQ((read_all(path).rows.at({"src", 1, StateRecord::kSessionPart})), "bbbbbbb");
}

// The room that an update asks for before it begins, state_schema.cpp: five times the database.
TEST_F(FileJournalTest, AnUpdateTakesNoMoreRoomThanItAskedFor) {
  for (const auto& [id_size, value_size] : {std::pair{3, 400}, {8, 60}, {16, 100}, {64, 20}, {120, 8}, {250, 1}}) {
    SCOPED_TRACE(fmt::format("ids of {} bytes, values of {}", id_size, value_size));
    fs::remove(path);
    Batch rows = rows_of(1, 20'000, value_size);
    rows.source_id = std::string(static_cast<std::size_t>(id_size), 's');
    commit(rows);
    make_older(path, 3);
    execute(path, "VACUUM");
    execute(path, "PRAGMA wal_checkpoint(TRUNCATE)");
    const auto before = static_cast<double>(fs::file_size(path));
    const FileJournal journal(path);
    const double after = static_cast<double>(fs::file_size(path) + fs::file_size(path + "-wal"));
    EXPECT_LT((after - before) / before, 5);
  }
}

TEST_F(FileJournalTest, ARowOfAnOlderSchemaThatIsDamagedIsFoundInTheNewOne) {
  commit(rows_of(1, 3, 3));
  make_older(path, 3);
  execute(path, "UPDATE state SET value = x'00' WHERE session = 2");
  EXPECT_THAT(mismatch(path), HasSubstr("source=src session_key=0000000000000002"));
}

TEST_F(FileJournalTest, KeepsOfARowTheLatestAndRemovesIt) {
  commit(rows_of(1, 2, 3));
  commit(rows_of(1, 1, 500));
  EXPECT_EQ(read_all(path).rows.size(), 2u);
  EXPECT_EQ((read_all(path).rows.at({"src", 1, StateRecord::kSessionPart})), std::string(500, 'b'));
  commit(rows_of(1, 1, 0));
  EXPECT_EQ(read_all(path).rows.size(), 1u);
}

TEST_F(FileJournalTest, CanBeLookedAtWhileItIsWritten) {
  commit(rows_of(1, 2, 3));
  FileJournal writer(path);
  const Batch more = rows_of(3, 1, 3);
  ASSERT_TRUE(writer.commit({&more, 1}, kPosition));
  FileJournal looker = FileJournal::open_to_read(path);
  Rows rows;
  looker.read_rows(rows);
  EXPECT_EQ(rows.rows.size(), 3u);
  ASSERT_TRUE(writer.commit({&more, 1}, kPosition));
  EXPECT_THROW(FileJournal::open_to_read(dir / "none.db"), std::runtime_error);
  EXPECT_FALSE(fs::exists(dir / "none.db"));
}

TEST_F(FileJournalTest, ShowsPositionAndRowsOfOneCommit) {
  FileJournal writer(path);
  const Batch first = rows_of(1, 2, 3), second = rows_of(3, 5, 3);
  FileJournal looker = FileJournal::open_to_read(path);
  {
    const StateDatabase::Reading reading = looker.of_one_commit();
    EXPECT_EQ(looker.read_position(), std::nullopt);
    ASSERT_TRUE(writer.commit({&first, 1}, kPosition));
    Rows rows;
    looker.read_rows(rows);
    EXPECT_TRUE(rows.rows.empty()) << "there were none with that position";
  }
  const StateDatabase::Reading reading = looker.of_one_commit();
  EXPECT_EQ(looker.read_position(), kPosition);
  ASSERT_TRUE(writer.commit({&second, 1}, kPosition));
  Rows rows;
  looker.read_rows(rows);
  EXPECT_EQ(rows.rows.size(), 2u);
}

TEST_F(FileJournalTest, WhoOnlyLooksIsToldThatNoDaemonHasFilledIt) {
  test::write_text(path, "");
  try {
    FileJournal::open_to_read(path);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("is empty: the daemon fills it when it starts"));
  }
}

TEST_F(FileJournalTest, RefusesRowsWithoutAPosition) {
  commit(rows_of(1, 2, 3));
  execute(path, "DELETE FROM position");
  EXPECT_THAT(mismatch(path), HasSubstr("sessions but no position"));
}

TEST_F(FileJournalTest, SeesAnyChangedValue) {
  commit(rows_of(1, 2, 3));
  execute(path, "UPDATE state SET value = x'00' WHERE session = 2");
  EXPECT_THAT(mismatch(path), HasSubstr("source=src session_key=0000000000000002"));
}

// The index keeps the key of a row that is gone: a commit of that row would change nothing, and lose it.
TEST_F(FileJournalTest, SeesAnIndexThatIsNotThatOfItsRows) {
  commit(rows_of(1, 3, 3));
  const std::int64_t root = number(path, "SELECT rootpage FROM sqlite_schema WHERE name = 'address'");
  execute(path, "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'address'");
  execute(path, "DELETE FROM state WHERE session = 2");
  execute(path, fmt::format("PRAGMA writable_schema = ON; INSERT INTO sqlite_schema VALUES ('index', 'address', "
                            "'state', {}, 'CREATE UNIQUE INDEX address ON state (source, session, part)')",
                            root));
  EXPECT_THAT(mismatch(path), HasSubstr("its index is not that of its rows"));
  Rows rows;
  EXPECT_THROW(FileJournal::open_to_read(path).read_rows(rows), StateMismatch);
}

TEST_F(FileJournalTest, GoesOnAfterAReadThatItsReaderBrokeOff) {
  struct Stop {};
  struct BreaksOff : Rows {
    void record(std::string_view, const StateRecord&) override { throw Stop{}; }
  } breaks_off;
  commit(rows_of(1, 2, 3));
  FileJournal journal(path);
  EXPECT_THROW(journal.read_rows(breaks_off), Stop);
  const Batch more = rows_of(3, 1, 3);
  const Result<void> committed = journal.commit({&more, 1}, kPosition);
  EXPECT_TRUE(committed) << committed.error().detail;
  EXPECT_EQ(read_all(path).rows.size(), 3u);
}

// A reader that began before a commit sees nothing of it, in the rows nor in the index.
TEST_F(FileJournalTest, ReadsOneCommitBesideAWriter) {
  commit(rows_of(1, 2, 3));
  FileJournal writer(path);
  struct Writes : Rows {
    explicit Writes(FileJournal& to) : journal(to) {}
    void record(std::string_view source_id, const StateRecord& record) override {
      Rows::record(source_id, record);
      const Batch more = rows_of(3, 5, 3);
      ASSERT_TRUE(journal.commit({&more, 1}, kPosition));
    }
    FileJournal& journal;
  } writes(writer);
  FileJournal::open_to_read(path).read_rows(writes);
  EXPECT_EQ(writes.rows.size(), 2u);
  EXPECT_EQ(read_all(path).rows.size(), 7u);
}

// Its bytes and their order are the same; a commit would add the row once more.
TEST_F(FileJournalTest, SeesAKeyOfAnotherType) {
  for (const int schema : {3, 4}) {
    fs::remove(path);
    commit(rows_of(1, 3, 3));
    if (schema < 4) make_older(path, schema);
    execute(path, "UPDATE state SET source = CAST(source AS BLOB) WHERE session = 3");
    EXPECT_THAT(mismatch(path), HasSubstr("a row's key is not of its types")) << schema;
  }
}

TEST_F(FileJournalTest, SeesAPartThatNoRowCanHave) {
  commit(rows_of(1, 3, 3));
  execute(path, "UPDATE state SET part = part + 4294967296 WHERE session = 2");
  EXPECT_THAT(mismatch(path), HasSubstr("source=src session_key=0000000000000002"));
}

TEST_F(FileJournalTest, SeesRowsOfAnOlderSchemaThatHaveTheSameKey) {
  commit(rows_of(1, 3, 3));
  make_older(path, 3);
  const auto set_key = [&](const char* from, const char* to) {
    execute(path, fmt::format("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '{}', '{}') "
                              "WHERE name = 'state'",
                              from, to));
  };
  set_key("(source, session, part)", "(source, session, part, checksum)");
  execute(path, "INSERT INTO state SELECT source, session, part, value, checksum + 1 FROM state WHERE session = 2");
  set_key("(source, session, part, checksum)", "(source, session, part)");
  EXPECT_THAT(mismatch(path), HasSubstr("is damaged (UNIQUE constraint failed"));
}

TEST_F(FileJournalTest, NeverReturnsWhatWasNotCommittedWhenBitsFlip) {
  commit(rows_of(1, 300, 50));
  const Content good = read_all(path);
  const std::string bytes = test::read_text(path);
  const Batch next = rows_of(1, 300, 51);
  commit(next);
  const Content good_next = read_all(path);
  std::mt19937_64 random(seed());
  int seen = 0;
  for (int round = 0; round < 600; ++round) {
    const std::string copy = dir / "copy.db";
    std::string flipped = bytes;
    const std::size_t at = flip_a_bit(flipped, random, round);
    test::write_text(copy, flipped);
    try {
      EXPECT_EQ(read_all(copy), good) << "byte " << at;
      if (FileJournal(copy).commit({&next, 1}, kPosition)) {
        EXPECT_EQ(read_all(copy), good_next) << "byte " << at;
      }
    } catch (const std::runtime_error&) {
      ++seen;
    }
    remove_database(copy);
  }
  EXPECT_GT(seen, 300);
}

// Its new index is made of the rows and agrees with them, whatever those of before were.
TEST_F(FileJournalTest, NeverBringsUpToDateWhatWasNotCommittedWhenBitsFlip) {
  commit(rows_of(1, 300, 50));
  const Content good = read_all(path);
  make_older(path, 3);
  const std::string bytes = test::read_text(path);
  std::mt19937_64 random(seed());
  int seen = 0;
  for (int round = 0; round < 200; ++round) {
    const std::string copy = dir / "copy.db";
    std::string flipped = bytes;
    const std::size_t at = flip_a_bit(flipped, random, round);
    test::write_text(copy, flipped);
    try {
      EXPECT_EQ(read_all(copy), good) << "byte " << at;
    } catch (const std::runtime_error&) {
      ++seen;
    }
    remove_database(copy);
  }
  EXPECT_GT(seen, 50);
}

TEST_F(FileJournalTest, SeesThatItWasCut) {
  commit(rows_of(1, 300, 50));
  const std::string bytes = test::read_text(path);
  for (std::size_t size = 600; size < bytes.size(); size += 1500) {  // SQLite takes less than a header for a new file
    test::write_text(path, std::string_view(bytes).substr(0, size));
    EXPECT_THAT(mismatch(path), HasSubstr("is damaged")) << size;
  }
}

// A copy of database and log as a crash may leave them: whatever part of the log is missing, what is left was
// committed.
TEST_F(FileJournalTest, ALogThatIsCutGivesAnEarlierCommit) {
  FileJournal journal(path);
  std::set<std::uint64_t> offsets{0};
  for (std::uint64_t i = 1; i <= 10; ++i) {
    OutputPosition position = kPosition;
    position.offset = i * 1000;
    offsets.insert(position.offset);
    const Batch batch = rows_of(i * 10, 10, 500);
    ASSERT_TRUE(journal.commit({&batch, 1}, position));
  }
  const std::string log = test::read_text(path + "-wal");
  std::mt19937_64 random(seed());
  for (int round = 0; round < 100; ++round) {
    test::TempDir other;
    test::write_text(other / "state.db", test::read_text(path));
    test::write_text(other / "state.db-wal", std::string_view(log).substr(0, random() % log.size()));
    const Content content = read_all(other / "state.db");
    const std::uint64_t offset = content.position ? content.position->offset : 0;
    EXPECT_TRUE(offsets.contains(offset));
    EXPECT_EQ(content.rows.size(), offset / 100) << "rows and position belong to one commit";
  }
}

TEST_F(FileJournalTest, AnEmptiedStateIsNoStateAndTheSinkSaysSo) {
  const std::string output = dir / "events";
  const auto recover = [&] {
    test::CountingState state;
    FileSink sink(dir / "state", FileSinkSettings{.path = output}, kEcsFormat);
    sink.recover(state);
    const Batch batch = test::batch_of(1, 0, 1);
    return sink.commit({&batch, 1});
  };
  ASSERT_TRUE(recover());
  test::write_text(dir / "state/state.db", "");
  EXPECT_THROW((void)recover(), StateMismatch);
}

TEST(ClassifySqlite, TellsWhatPassesFromWhatDoesNot) {
  const struct {
    int code;
    ErrorKind kind;
  } cases[] = {
      {SQLITE_FULL, ErrorKind::kTryLater},
      {SQLITE_IOERR_WRITE, ErrorKind::kTryLater},
      {SQLITE_IOERR_READ, ErrorKind::kTryLater},
      {SQLITE_IOERR_SHMSIZE, ErrorKind::kTryLater},
      {SQLITE_BUSY, ErrorKind::kTryLater},
      {SQLITE_BUSY_SNAPSHOT, ErrorKind::kTryLater},
      {SQLITE_READONLY, ErrorKind::kTryLater},
      {SQLITE_CANTOPEN, ErrorKind::kTryLater},
      {SQLITE_NOMEM, ErrorKind::kTryLater},
      {SQLITE_IOERR_NOMEM, ErrorKind::kTryLater},
      {SQLITE_IOERR_FSYNC, ErrorKind::kRefused},
      {SQLITE_IOERR_DIR_FSYNC, ErrorKind::kRefused},
      {SQLITE_READONLY_DBMOVED, ErrorKind::kRefused},
      {SQLITE_CORRUPT, ErrorKind::kRefused},
      {SQLITE_CORRUPT_INDEX, ErrorKind::kRefused},
      {SQLITE_CONSTRAINT_UNIQUE, ErrorKind::kRefused},
      {SQLITE_NOTADB, ErrorKind::kRefused},
      {SQLITE_IOERR_CORRUPTFS, ErrorKind::kRefused},
      {SQLITE_MISUSE, ErrorKind::kRefused},
      {SQLITE_ERROR, ErrorKind::kRefused},
  };
  for (const auto& c : cases) EXPECT_EQ(classify_sqlite(c.code), c.kind) << c.code;
}

TEST(NetworkFileSystem, KnowsThoseWhoseLocksDoNotHold) {
  EXPECT_EQ(network_file_system(0x6969), "NFS");
  EXPECT_EQ(network_file_system(0xfe534d42), "SMB");
  EXPECT_EQ(network_file_system(0xef53), "");      // ext4
  EXPECT_EQ(network_file_system(0x58465342), "");  // XFS
}

}  // namespace
}  // namespace sessionlogd
