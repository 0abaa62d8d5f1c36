#include "sinks/output_match.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

constexpr const char* kState = "/state/state.db";
const OutputPosition kPosition{.sequence = 3, .device = 8, .inode = 12, .offset = 100, .path = "/log/events"};

OutputFound found(std::uint64_t size) { return {"/log/events", 8, 12, size, true}; }

std::string mismatch(const std::optional<OutputPosition>& position, const OutputFound& output) {
  try {
    match_output(position, output, kState);
    return {};
  } catch (const StateMismatch& error) {
    return error.what();
  }
}

TEST(OutputMatch, BeginsTheFirstFileWhereNothingIs) {
  EXPECT_EQ(match_output(std::nullopt, std::nullopt, kState), GoOn::kFirstFile);
  EXPECT_EQ(match_output(std::nullopt, found(0), kState), GoOn::kFirstFile);
}

TEST(OutputMatch, GoesOnInTheFileTheStateKnows) {
  EXPECT_EQ(match_output(kPosition, found(100), kState), GoOn::kSameFile);
  EXPECT_EQ(match_output(kPosition, found(5000), kState), GoOn::kSameFile);

  OutputFound after_reboot = found(100);
  after_reboot.device = 9;
  EXPECT_EQ(match_output(kPosition, after_reboot, kState), GoOn::kSameFile);

  OutputFound renamed = found(100);
  renamed.path = "/log/other";
  EXPECT_EQ(match_output(kPosition, renamed, kState), GoOn::kSameFile);
}

TEST(OutputMatch, BeginsTheNextFileWhereNothingCanRepeat) {
  EXPECT_EQ(match_output(kPosition, std::nullopt, kState), GoOn::kNextFile);

  OutputFound emptied = found(0);
  emptied.inode = 13;
  EXPECT_EQ(match_output(kPosition, emptied, kState), GoOn::kNextFile);
}

TEST(OutputMatch, NamesTheFilesAndAWayOutWhenTheyDoNotBelongTogether) {
  OutputFound replaced = found(100);
  replaced.inode = 13;
  OutputFound same_inode_elsewhere = found(100);
  same_inode_elsewhere.path = "/other/events";
  same_inode_elsewhere.device = 9;
  OutputFound mid_line = found(100);
  mid_line.line_ends_at_position = false;

  const struct {
    std::optional<OutputPosition> position;
    OutputFound output;
    std::string says;
  } cases[] = {
      {std::nullopt, found(1), "has no state for it"}, {kPosition, found(99), "was cut, emptied"},
      {kPosition, found(0), "was cut, emptied"},       {kPosition, mid_line, "no end of a line at byte 100"},
      {kPosition, replaced, "is not the file"},        {kPosition, same_inode_elsewhere, "is not the file"},
  };
  for (const auto& c : cases) {
    const std::string message = mismatch(c.position, c.output);
    EXPECT_NE(message.find(c.says), std::string::npos) << c.says << ": " << message;
    EXPECT_NE(message.find(c.output.path), std::string::npos) << message;
    EXPECT_NE(message.find(kState), std::string::npos) << message;
    EXPECT_NE(message.find("ove "), std::string::npos) << "the way out: " << message;
  }
}

}  // namespace
}  // namespace sessionlogd
