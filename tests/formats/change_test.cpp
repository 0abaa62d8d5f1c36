// sink.format is changed between two starts: no file has lines of two formats, and nothing is lost or repeated.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <filesystem>

#include "sinks/file/file_journal.h"
#include "sinks/file/file_sink.h"
#include "sinks/file/file_state.h"
#include "sinks/file/rotated_name.h"
#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_event.h"
#include "tests/formats/plain_format.h"
#include "tests/formats/support.h"
#include "tests/sinks/support.h"

namespace sessionlogd::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SteeredRename : public FileOps {
 public:
  int rename(const char* from, const char* to) override {
    if (error == 0) return FileOps::rename(from, to);
    errno = error;
    return -1;
  }
  int error = 0;
};

class FormatChange : public testing::Test {
 protected:
  FormatChange() {
    spdlog::set_level(spdlog::level::off);
    settings.rotate = {.size_bytes = std::nullopt, .every = std::nullopt, .keep = std::nullopt, .compress = false};
  }
  ~FormatChange() override { spdlog::set_level(spdlog::level::info); }

  // Entries of session 1, from the one that is due.
  void write(const Format& format, std::uint64_t count) {
    CountingState state;
    FileSink sink(state_dir, settings, format, ops);
    sink.recover(state);
    EXPECT_THAT(state.complaints(), IsEmpty());
    const Batch batch = batch_in(format, 1, state.count(1), count);
    const Result<void> done = sink.commit({&batch, 1});
    ASSERT_TRUE(done) << done.error().detail;
  }

  // How many entries are known, and how many of them were found behind the position.
  std::pair<std::uint64_t, std::uint64_t> start(const Format& format) {
    CountingState state;
    FileSink(state_dir, settings, format, ops).recover(state);
    EXPECT_THAT(state.complaints(), IsEmpty());
    return {state.count(1), state.deliveries()};
  }

  OutputPosition position() const { return FileJournal(state_dir + "/state.db").read_position().value(); }
  std::vector<RotatedFile> rotated() const { return list_rotated(settings.path); }

  TempDir dir{quick_directory()};
  std::string state_dir = dir / "state";
  FileSinkSettings settings{.path = dir / "events.log"};
  SteeredRename ops;
};

TEST_F(FormatChange, FinishesTheFileAndBeginsANewOne) {
  write(kEcsFormat, 3);
  const std::string before = read_text(settings.path);
  write(kPlainFormat, 2);
  ASSERT_THAT(rotated(), SizeIs(1));
  EXPECT_EQ(read_text(rotated()[0].path), before);
  EXPECT_EQ(read_text(settings.path), batch_in(kPlainFormat, 1, 3, 2).events);
  EXPECT_EQ(position().format, "plain");
  EXPECT_EQ(position().sequence, 2);
  write(kPlainFormat, 1);
  EXPECT_THAT(rotated(), SizeIs(1)) << "the same format goes on in its file";
  write(kEcsFormat, 1);
  EXPECT_THAT(rotated(), SizeIs(2));
  EXPECT_EQ(position().format, "ecs");
  EXPECT_EQ(start(kEcsFormat), (std::pair<std::uint64_t, std::uint64_t>{7, 0}));
}

TEST_F(FormatChange, TakesTheLinesOfTheFormatBeforeBehindThePosition) {
  write(kEcsFormat, 3);
  append_text(settings.path, batch_in(kEcsFormat, 1, 3, 5).events + "torn");
  const std::string before = read_text(settings.path);
  EXPECT_EQ(start(kPlainFormat), (std::pair<std::uint64_t, std::uint64_t>{8, 5}));
  ASSERT_THAT(rotated(), SizeIs(1));
  EXPECT_EQ(read_text(rotated()[0].path), before.substr(0, before.size() - 4) + "   \n");
  EXPECT_EQ(read_text(settings.path), "");
}

TEST_F(FormatChange, AnEmptyFileIsTakenForTheNewFormat) {
  start(kEcsFormat);
  write(kPlainFormat, 1);
  EXPECT_THAT(rotated(), IsEmpty());
  EXPECT_EQ(position().format, "plain");
}

// Lines in a file whose journal still names the format before: a crash within the first commit.
TEST_F(FormatChange, GoesOnAfterACrashWithinTheFirstCommit) {
  start(kEcsFormat);
  start(kPlainFormat);
  append_text(settings.path, batch_in(kPlainFormat, 1, 0, 2).events);
  EXPECT_EQ(start(kPlainFormat), (std::pair<std::uint64_t, std::uint64_t>{2, 2}));
  EXPECT_EQ(position().format, "plain");
  EXPECT_THAT(rotated(), IsEmpty());
}

TEST_F(FormatChange, GoesOnAfterACrashBeforeTheNewFile) {
  write(kEcsFormat, 3);
  fs::rename(settings.path, rotated_name(settings.path, 1, ops.now()));
  write(kPlainFormat, 2);
  EXPECT_THAT(rotated(), SizeIs(1));
  EXPECT_EQ(start(kPlainFormat).first, 5u);
}

TEST_F(FormatChange, WaitsWhenTheFileCannotBeRenamed) {
  write(kEcsFormat, 3);
  const std::string before = read_text(settings.path);
  ops.error = EROFS;
  EXPECT_THROW(start(kPlainFormat), TryLater);
  EXPECT_EQ(read_text(settings.path), before);
  ops.error = 0;
  write(kPlainFormat, 1);
  EXPECT_EQ(start(kPlainFormat).first, 4u);
}

TEST_F(FormatChange, StateIsRebuiltFromFilesOfSeveralFormats) {
  write(kEcsFormat, 3);
  write(kPlainFormat, 2);
  write(kEcsFormat, 4);
  for (const Format* format : formats()) {
    fs::remove_all(state_dir);
    CountingState into;
    rebuild_state(state_dir, settings, *format, into, ops);
    EXPECT_EQ(into.count(1), 9u);
    EXPECT_THAT(into.complaints(), IsEmpty());
    EXPECT_EQ(position().format, format->name);
  }
  write(kPlainFormat, 1);
  EXPECT_EQ(read_text(settings.path), batch_in(kPlainFormat, 1, 9, 1).events);
}

TEST_F(FormatChange, StateBegunAfreshKnowsTheFormatOfTheFile) {
  write(kEcsFormat, 3);
  init_state(state_dir, settings, kPlainFormat, ops);
  EXPECT_EQ(position().format, "ecs");
  write(kPlainFormat, 1);
  EXPECT_THAT(rotated(), SizeIs(1));
  EXPECT_EQ(read_text(settings.path), batch_in(kPlainFormat, 1, 0, 1).events);
}

// The state of the version before: schema 2, without a format.
TEST_F(FormatChange, StateOfBeforeIsReadAsEcs) {
  write(kEcsFormat, 3);
  make_older(state_dir + "/state.db", 2);
  append_text(settings.path, batch_in(kEcsFormat, 1, 3, 2).events);
  EXPECT_EQ(start(kEcsFormat), (std::pair<std::uint64_t, std::uint64_t>{5, 2}));
  EXPECT_EQ(position().format, "ecs");
  EXPECT_THAT(rotated(), IsEmpty()) << "it goes on in its file";
  make_older(state_dir + "/state.db", 2);
  write(kPlainFormat, 1);
  EXPECT_THAT(rotated(), SizeIs(1));
}

TEST_F(FormatChange, RefusesAFormatThatItDoesNotKnow) {
  write(kEcsFormat, 3);
  const std::string before = read_text(settings.path);
  OutputPosition unknown = position();
  unknown.format = "of-a-later-version";
  ASSERT_TRUE(FileJournal(state_dir + "/state.db").commit({}, unknown));
  try {
    start(kEcsFormat);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const StateMismatch& error) {
    EXPECT_THAT(error.what(), HasSubstr("format of-a-later-version"));
  }
  EXPECT_EQ(read_text(settings.path), before) << "nothing is blanked";
}

using Headers = std::map<std::string, std::string, std::less<>>;

std::optional<Delivered> read_record(std::string_view key, std::string_view value, const Headers& headers) {
  return KafkaEventReader().read(key, value, [&](const char* name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  });
}

const Headers kIds = {{"event.id", "0000000000000007000000000000000b"}, {"event.hash", "0000000c"}};

Headers with(Headers headers, const Headers& more) {
  for (const auto& [name, value] : more) headers.insert_or_assign(name, value);
  return headers;
}

TEST(KafkaEvent, OfAFormatOfALaterVersionIsRecognised) {
  const auto read = read_record("src/s/1", "\x01\x02",
                                with(kIds, {{"event.format", "later"}, {"event.time", "1970-01-01T00:00:09.5Z"}}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->session_id, "s/1");
  EXPECT_EQ(read->log_time, (Instant{9, 500'000'000}));
}

TEST(KafkaEvent, WithoutALogTimeHasNoHeaderForIt) {
  Batch batch = batch_in(kPlainFormat, 7, 11, 1);
  batch.index.front().log_time.reset();
  KafkaEventWriter writer(kPlainFormat);
  writer.set_session(batch);
  writer.set_event(batch.index.front());
  for (const auto& [name, value] : writer.headers()) EXPECT_NE(std::string_view(name), "event.time");
  const auto read = read_record(writer.key(), "", with(kIds, {{"event.format", "plain"}}));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->log_time, std::nullopt);
}

TEST(KafkaEvent, OfTheVersionBeforeHasItsLogTimeInItsValue) {
  const Event event = event_of(EventKind::kNew, 7, 11);
  std::string line = line_in(kEcsFormat, event);
  line.pop_back();
  const auto read = read_record("src/session-7", line, kIds);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->log_time, event.timestamp);
  const auto unreadable = read_record("src/session-7", "", kIds);
  ASSERT_TRUE(unreadable);
  EXPECT_EQ(unreadable->log_time, std::nullopt);
}

TEST(KafkaEvent, OfOthersIsNotOurs) {
  std::string line = line_in(kEcsFormat, event_of(EventKind::kNew, 7, 11));
  line.pop_back();
  EXPECT_FALSE(read_record("src/session-7", line, {})) << "a value alone recognises nothing";
  EXPECT_FALSE(read_record("src", line, kIds));
  EXPECT_FALSE(read_record("", line, kIds));
  EXPECT_FALSE(read_record("/s", line, kIds));
  EXPECT_FALSE(read_record("src/s", line, with(kIds, {{"event.id", "7"}})));
  EXPECT_FALSE(read_record("src/s", line, with(kIds, {{"event.hash", "0000000g"}})));
}

}  // namespace
}  // namespace sessionlogd::test
