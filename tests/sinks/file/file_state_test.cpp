#include "sinks/file/file_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "sinks/file/file_sink.h"
#include "sinks/file/rotated_keeper.h"
#include "sinks/file/rotated_name.h"
#include "sinks/formats/ecs.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;
using test::batch_of;
using test::CountingState;
using test::event_line;
using test::read_text;
using testing::HasSubstr;

class FileState : public testing::Test {
 protected:
  FileState() {
    spdlog::set_level(spdlog::level::off);
    settings.rotate = {.size_bytes = 3 * event_line(1, 0).size(), .every = std::nullopt, .keep = std::nullopt};
  }
  ~FileState() override { spdlog::set_level(spdlog::level::info); }

  // Entries first to last of session 1, one commit each.
  void write(std::uint64_t first, std::uint64_t last) const {
    CountingState state;
    FileSink sink(state_dir, settings, kEcsFormat);
    sink.recover(state);
    for (std::uint64_t entry = first; entry <= last; ++entry) {
      const Batch batch = batch_of(1, entry, 1);
      ASSERT_TRUE(sink.commit({&batch, 1}));
    }
  }

  std::uint64_t known() const {
    CountingState state;
    FileSink(state_dir, settings, kEcsFormat).recover(state);
    EXPECT_EQ(state.deliveries(), 0u) << "what is rebuilt is committed";
    return state.count(1);
  }

  test::TempDir dir{test::quick_directory()};
  std::string state_dir = dir / "state";
  FileSinkSettings settings{.path = dir / "events.ndjson"};
};

TEST_F(FileState, IsRebuiltFromEveryFilePlainAndCompressed) {
  write(0, 10);
  FileOps ops;
  RotatedKeeper(settings, ops).tidy(100);
  ASSERT_TRUE(list_rotated(settings.path).front().compressed);
  ASSERT_FALSE(list_rotated(settings.path).back().compressed);
  test::append_text(settings.path, "torn");
  for (const bool damaged : {false, true}) {
    if (damaged) {
      test::write_text(state_dir + "/state.db", std::string(5000, 'x'));
    } else {
      fs::remove_all(state_dir);
    }
    CountingState into;
    const NewState made = rebuild_state(state_dir, settings, kEcsFormat, into);
    EXPECT_EQ(made.first_file, 1);
    EXPECT_FALSE(made.gap_before);
    EXPECT_EQ(made.moved_aside.empty(), !damaged);
    EXPECT_EQ(into.count(1), 11u);
    EXPECT_TRUE(into.complaints().empty());
    EXPECT_EQ(known(), 11u);
  }
  write(11, 12);
  EXPECT_EQ(known(), 13u);
}

TEST_F(FileState, IsRebuiltAsFarAsTheFilesReachWithoutAGap) {
  write(0, 10);
  fs::remove(list_rotated(settings.path)[1].path);  // entries 3 to 5
  struct Keys : CountingState {
    void delivered(const Delivered& event) override { keys.push_back(event.entry_key); }
    std::vector<Batch> settle() override { return {}; }
    std::vector<std::uint64_t> keys;
  } into;
  const NewState made = rebuild_state(state_dir, settings, kEcsFormat, into);
  EXPECT_EQ(made.first_file, 3);
  EXPECT_TRUE(made.gap_before);
  EXPECT_THAT(into.keys, testing::ElementsAre(6, 7, 8, 9, 10));
}

TEST_F(FileState, CannotBeRebuiltFromNothing) {
  CountingState into;
  EXPECT_THROW(rebuild_state(state_dir, settings, kEcsFormat, into), std::runtime_error);
  test::write_text(settings.path, "");
  EXPECT_THROW(rebuild_state(state_dir, settings, kEcsFormat, into), std::runtime_error);
}

TEST_F(FileState, GoesOnWhereARebuildWasKilled) {
  write(0, 10);
  struct Killed {};
  struct Dying : CountingState {
    std::vector<Batch> settle() override {
      if (++settled == 3) throw Killed{};
      return CountingState::settle();
    }
    int settled = 0;
  } into;
  EXPECT_THROW(rebuild_state(state_dir, settings, kEcsFormat, into), Killed);
  CountingState state;
  FileSink(state_dir, settings, kEcsFormat).recover(state);
  EXPECT_EQ(state.count(1), 11u);
  EXPECT_TRUE(state.complaints().empty());
}

TEST_F(FileState, BeginsAfreshBehindTheOutput) {
  write(0, 10);
  test::append_text(settings.path, "torn");
  const std::string before = read_text(settings.path);
  const NewState made = init_state(state_dir, settings, kEcsFormat);
  EXPECT_EQ(made.first_file, 4);
  ASSERT_FALSE(made.moved_aside.empty());
  EXPECT_TRUE(fs::exists(made.moved_aside.front()));
  EXPECT_EQ(known(), 0u);
  write(0, 0);
  EXPECT_EQ(list_rotated(settings.path).size(), 3u + 1u) << "the torn bytes, now blanks, do not fit beside a line";
  EXPECT_EQ(read_text(list_rotated(settings.path).back().path), before.substr(0, before.size() - 4) + "   \n");
  EXPECT_EQ(read_text(settings.path), event_line(1, 0));
}

TEST_F(FileState, BeginsAfreshWhereNothingIs) {
  EXPECT_EQ(init_state(state_dir, settings, kEcsFormat).first_file, 1);
  write(0, 3);
  fs::remove(settings.path);
  EXPECT_EQ(init_state(state_dir, settings, kEcsFormat).first_file, 2);
  write(0, 0);
  EXPECT_EQ(known(), 1u);
}

TEST_F(FileState, IsLeftAloneWhileADaemonRuns) {
  CountingState state;
  FileSink running(state_dir, settings, kEcsFormat);
  running.recover(state);
  CountingState into;
  EXPECT_THROW(rebuild_state(state_dir, settings, kEcsFormat, into), InUse);
  EXPECT_THROW(init_state(state_dir, settings, kEcsFormat), InUse);
  EXPECT_TRUE(fs::exists(state_dir + "/state.db"));
}

}  // namespace
}  // namespace sessionlogd
