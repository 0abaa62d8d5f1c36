#include "sinks/file/output_match.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

constexpr const char* kState = "/state/state.db";
const OutputPosition kPosition{.sequence = 3, .device = 8, .inode = 12, .offset = 100, .path = "/log/events"};

OutputFound found(std::uint64_t size) { return {"/log/events", 8, 12, size, true, OutputFound::Beginning::kOurs}; }

OutputFound another(std::uint64_t size) {
  OutputFound other = found(size);
  other.inode = 13;
  return other;
}

OutputsFound outputs(std::optional<OutputFound> current, const std::vector<std::int64_t>& rotated = {}) {
  OutputsFound all;
  all.path = "/log/events";
  all.current = std::move(current);
  for (const std::int64_t sequence : rotated)
    all.rotated.push_back({sequence, "/log/events-" + std::to_string(sequence), false, 8, 100, 500});
  return all;
}

// "3@100 4@0 c5@0 current", "next 6", ...: what is read and where it goes on.
std::string plan(const GoOn& way) {
  std::string text;
  for (const FileToRead& file : way.read)
    text += fmt::format("{}{}@{} ", file.compressed ? "c" : "", file.sequence, file.offset);
  text += way.in_current ? "current" : fmt::format("next {}", way.next_sequence);
  return text + (way.committed_is_gone ? " gone" : "");
}

std::string decide(const std::optional<OutputPosition>& position, const OutputsFound& all) {
  try {
    return plan(match_output(position, all, kState));
  } catch (const StateMismatch& error) {
    return error.what();
  }
}

TEST(OutputMatch, BeginsTheFirstFileWhereNothingIs) {
  EXPECT_EQ(decide(std::nullopt, outputs(std::nullopt)), "next 1");
  EXPECT_EQ(decide(std::nullopt, outputs(found(0))), "next 1");
}

TEST(OutputMatch, GoesOnInTheFileTheStateKnows) {
  OutputFound after_reboot = found(100);
  after_reboot.device = 9;
  OutputFound renamed = found(100);
  renamed.path = "/log/other";
  for (const OutputFound& output : {found(100), found(5000), after_reboot, renamed}) {
    EXPECT_EQ(decide(kPosition, outputs(output)), "3@100 current");
    EXPECT_EQ(decide(kPosition, outputs(output, {1, 2})), "3@100 current") << "older files do not matter";
  }
}

TEST(OutputMatch, BeginsTheNextFileWhereNothingCanRepeat) {
  EXPECT_EQ(decide(kPosition, outputs(std::nullopt)), "next 4 gone");
  EXPECT_EQ(decide(kPosition, outputs(another(0))), "next 4 gone");
  OutputPosition nothing_in_it = kPosition;
  nothing_in_it.offset = 0;
  EXPECT_EQ(decide(nothing_in_it, outputs(std::nullopt)), "next 4");
}

TEST(OutputMatch, ReadsTheRestOfTheFileThatWasRotatedOrRenamed) {
  EXPECT_EQ(decide(kPosition, outputs(std::nullopt, {2, 3})), "3@100 next 4");
  EXPECT_EQ(decide(kPosition, outputs(another(0), {2, 3})), "3@100 next 4");
  OutputsFound renamed = outputs(another(0));
  renamed.renamed = OutputFound{"/log/events.1", 8, 12, 200};
  EXPECT_EQ(decide(kPosition, renamed), "3@100 next 4");
}

TEST(OutputMatch, ReadsEveryLaterFileInOrderWhenTheStateIsOlder) {
  EXPECT_EQ(decide(kPosition, outputs(another(0), {1, 3, 4, 5})), "3@100 4@0 5@0 next 6");
  EXPECT_EQ(decide(kPosition, outputs(another(7), {3, 4})), "3@100 4@0 5@0 current");
  EXPECT_EQ(decide(kPosition, outputs(found(700), {3, 4})), "3@100 4@0 5@0 current") << "inodes are used again";
  OutputsFound packed = outputs(another(7), {3, 4});
  packed.rotated[0].compressed = true;
  EXPECT_EQ(decide(kPosition, packed), "c3@100 4@0 5@0 current");
}

TEST(OutputMatch, FinishesTheFileAtThePathBefore) {
  OutputsFound changed = outputs(std::nullopt, {8});
  changed.path = "/other/events";
  changed.rotated_before = {{3, "/log/events-3", false, 8, 12, 500}};
  EXPECT_EQ(decide(kPosition, changed), "3@100 next 9");
}

TEST(OutputMatch, NamesTheFilesAndAWayOutWhenTheyDoNotBelongTogether) {
  OutputFound same_inode_elsewhere = found(100);
  same_inode_elsewhere.path = "/log/events2";
  same_inode_elsewhere.device = 9;
  OutputFound mid_line = found(100);
  mid_line.line_ends_at_position = false;
  OutputFound foreign = another(7);
  foreign.begins_with = OutputFound::Beginning::kForeign;
  OutputFound same_inode_foreign = foreign;
  same_inode_foreign.inode = kPosition.inode;
  OutputPosition nothing_in_it = kPosition;
  nothing_in_it.offset = 0;
  OutputsFound later_elsewhere = outputs(std::nullopt);
  later_elsewhere.path = "/other/events";
  later_elsewhere.rotated_before = {{4, "/log/events-4", false, 8, 12, 500}};

  const struct {
    std::optional<OutputPosition> position;
    OutputsFound outputs;
    std::string says;
  } cases[] = {
      {std::nullopt, outputs(found(1)), "has no state for it"},
      {std::nullopt, outputs(std::nullopt, {4}), "has no state for it"},
      {kPosition, outputs(found(99)), "was cut, emptied"},
      {kPosition, outputs(found(0)), "was cut, emptied"},
      {kPosition, outputs(mid_line), "no end of a line at byte 100"},
      {kPosition, outputs(another(100)), "is not the file"},
      {kPosition, outputs(same_inode_elsewhere), "is not the file"},
      {kPosition, outputs(foreign, {3, 4}), "is not the file"},
      {nothing_in_it, outputs(same_inode_foreign), "do not begin with an event"},
      {kPosition, outputs(another(7), {3, 5}), "number 4 is not"},
      {kPosition, outputs(another(0), {4, 5}), "number 3 is not"},
      {kPosition, later_elsewhere, "set sink.path back"},
  };
  for (const auto& c : cases) {
    const std::string message = decide(c.position, c.outputs);
    EXPECT_NE(message.find(c.says), std::string::npos) << c.says << ": " << message;
    EXPECT_NE(message.find("/log/events"), std::string::npos) << message;
    EXPECT_NE(message.find(kState), std::string::npos) << message;
    EXPECT_TRUE(message.find("ove ") != message.npos || message.find("state init") != message.npos ||
                message.find("set sink.path back") != message.npos)
        << "the way out: " << message;
  }
}

}  // namespace
}  // namespace sessionlogd
