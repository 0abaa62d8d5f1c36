#include "core/state/session_state.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

TEST(SessionState, KeepsFingerprintsInItsRows) {
  SessionHistory history = SessionHistory::of(std::vector<Fingerprint>{{7, 1}, {8, 2}});
  history.append(std::uint64_t{9} << 32 | 9, 3, 2);
  SessionHistory read;
  decode_chunk(encode_chunk(history, 0), read);
  ASSERT_EQ(read.size(), 3u);
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read.key(i), history.key(i));
    EXPECT_EQ(read.hash(i), history.hash(i));
    EXPECT_EQ(read.marks(i), history.marks(i));
  }
  EXPECT_TRUE(read.is_half(0) && read.is_half(1) && !read.is_half(2));
  EXPECT_EQ(read.changes(2), 2);
}

TEST(SessionState, KeepsTheSumOfWhatWasDeliveredWhileItIsOpen) {
  SessionState session;
  session.info = SessionInfo{.id = "s1"};
  session.phase = Phase::kOpen;
  EXPECT_EQ(decode_session(encode_session(session)).delivered_sum, std::nullopt);
  session.only_after = Instant{1'592'680'320, 0};
  for (const std::uint32_t sum : {0u, 0xFFFFFFFFu}) {
    session.delivered_sum = sum;
    EXPECT_EQ(decode_session(encode_session(session)).delivered_sum, sum);
  }
}

TEST(SessionState, KeepsByHowMuchItsTimesAreShiftedAndSoDoesItsMark) {
  SessionState session;
  session.info = SessionInfo{.id = "s1"};
  for (const int quarters : {-TimeShift::kMost, -1, 0, 4, TimeShift::kMost}) {
    session.shift = {static_cast<std::int8_t>(quarters)};
    EXPECT_EQ(decode_session(encode_session(session)).shift, session.shift);
    DoneMarks marks;
    marks.put(7, decode_mark(encode_mark({.shift = session.shift})));
    EXPECT_EQ(marks.find(7)->shift, session.shift);
  }
}

}  // namespace
}  // namespace sessionlogd
