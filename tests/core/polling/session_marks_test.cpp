#include "core/polling/session_marks.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using Absence = SessionMarks::Absence;
using Kind = DoneMark::Kind;

constexpr std::uint64_t kDigestWithStart = std::uint64_t{100} << 32 | 1, kDigestWithout = 1;

class SessionMarksTest : public testing::Test {
 protected:
  SessionState ended(std::uint64_t key) {
    SessionState state;
    state.key = key;
    state.digest = kDigestWithStart;
    state.history.append(7, 5, 0);
    return state;
  }
  void end(std::uint64_t key) {
    SessionState state = ended(key);
    marks_.put_end(state, {1'000, 0}, records_);
  }
  std::size_t sweep(int hour, Absence absence = Absence::kOfAll) {
    marks_.begin_sweep();
    const std::optional<Watched> third_last =
        hour < 2 ? std::nullopt : std::optional(Watched(std::chrono::hours{hour - 2}));
    return marks_.end_sweep(std::chrono::hours{hour}, third_last, absence, std::chrono::hours{1}, records_);
  }

  RestoredSource nothing_;
  SessionMarks marks_{nothing_};
  std::vector<StateRecord> records_;
};

TEST_F(SessionMarksTest, GiveBackWhatWasDelivered) {
  end(1);
  const DoneMark mark = *marks_.find(1);
  SessionState looked_at, taken;
  looked_at.key = taken.key = 1;
  marks_.look(mark, looked_at);
  EXPECT_TRUE(looked_at.history.knows(7));
  EXPECT_EQ(marks_.size(), 1u);
  marks_.take(mark, taken);
  EXPECT_TRUE(taken.history.knows(7));
  EXPECT_FALSE(marks_.find(1));
}

TEST_F(SessionMarksTest, KeepASumWhereFingerprintsHadToGo) {
  marks_.set_fingerprint_bytes(0);
  end(1);
  EXPECT_EQ(marks_.fingerprint_bytes(), 0u);
  SessionState taken;
  taken.key = 1;
  marks_.take(*marks_.find(1), taken);
  EXPECT_TRUE(taken.delivered_sum);
}

TEST_F(SessionMarksTest, GoAfterThreeSweepsThatDoNotShowThem) {
  end(1);
  EXPECT_EQ(sweep(1), 0u);
  marks_.begin_sweep();
  DoneMark mark = *marks_.find(1);
  records_.clear();
  marks_.shown(1, mark, records_);
  EXPECT_EQ(records_.size(), 1u) << "it was absent";
  for (int hour = 2; hour < 4; ++hour) EXPECT_EQ(sweep(hour), 0u);
  EXPECT_EQ(sweep(4), 1u);
  EXPECT_EQ(marks_.size(), 0u);
}

TEST_F(SessionMarksTest, StayWhereASweepProvesNothingOfThem) {
  end(1);
  marks_.put(2, {.kind = Kind::kLeftAlone, .digest = kDigestWithout}, records_);
  for (int hour = 1; hour < 9; ++hour) EXPECT_EQ(sweep(hour, Absence::kProvesNothing), 0u);
  for (int hour = 9; hour < 20; ++hour) sweep(hour, Absence::kOfThoseWithStart);
  EXPECT_FALSE(marks_.find(1));
  EXPECT_TRUE(marks_.find(2)) << "a slice of start times cannot show it";
}

TEST_F(SessionMarksTest, ForgetWhatWasLeftAloneSince) {
  marks_.put(1, {.kind = Kind::kLeftAlone, .digest = 1, .start = {50, 0}}, records_);
  marks_.put(2, {.kind = Kind::kLeftAlone, .digest = 1, .start = {100, 0}}, records_);
  marks_.put(3, {.kind = Kind::kLeftAlone, .digest = 1}, records_);
  marks_.put(4, {.kind = Kind::kBefore, .digest = 1, .start = {100, 0}}, records_);
  end(5);
  EXPECT_EQ(marks_.forget_left_alone({100, 0}, false, records_), 2u) << "one names no start";
  EXPECT_EQ(marks_.forget_left_alone({100, 0}, true, records_), 1u);
  EXPECT_TRUE(marks_.find(1));
  EXPECT_TRUE(marks_.find(5));
}

}  // namespace
}  // namespace sessionlogd
