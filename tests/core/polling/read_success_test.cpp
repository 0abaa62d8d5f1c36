#include "core/polling/read_success.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using Verdict = ReadSuccess::Verdict;
using Judged = ReadSuccess::Judged;

// With the defaults of a source: max_interval 60 s, timeout 30 s.
class AReadSuccess : public testing::Test {
 protected:
  static Error refusal(int status = 403) {
    Error error(ErrorKind::kRefused, "HTTP " + std::to_string(status));
    error.http_status = status;
    return error;
  }
  static Error passing() { return Error(ErrorKind::kTryLater, "took longer than 30 s"); }

  void fail(std::uint64_t session, const Error& why) {
    reads_.asked(session, now_);
    reads_.failed(session, why, now_);
  }
  void read(std::uint64_t session) {
    reads_.asked(session, now_);
    reads_.read(session, now_);
  }
  Verdict judge(std::size_t due) { return reads_.judge(Judged::kYes, due, now_).verdict; }
  void pass(std::chrono::seconds span) { now_ += span; }

  ReadSuccess reads_{60s, 30s};
  SteadyTime now_{1'000s};
};

TEST_F(AReadSuccess, IsWellWithNothingDueHoweverLong) {
  EXPECT_EQ(judge(0), Verdict::kGivesLogs);
  read(1);
  pass(100h);
  EXPECT_EQ(judge(0), Verdict::kGivesLogs);
  EXPECT_FALSE(reads_.owed_since());
}

TEST_F(AReadSuccess, HasNotFailedYetWhenItHasJustBegun) {
  fail(1, passing());
  EXPECT_EQ(judge(1), Verdict::kGivesLogs);
  pass(599s);
  EXPECT_EQ(judge(1), Verdict::kGivesLogs);
}

TEST_F(AReadSuccess, IsNotWellWhenNothingWasReadForTenTimesMaxIntervalWhateverTheCause) {
  struct Row {
    const char* what;
    std::optional<Error> why;  // nullopt: no response at all
  };
  for (const Row& row : std::vector<Row>{{"refused", refusal()},
                                         {"passes by itself", passing()},
                                         {"no JSON", Error(ErrorKind::kBadResponse, "no JSON")},
                                         {"log in again", Error(ErrorKind::kLogInAgain, "HTTP 401")},
                                         {"hangs", std::nullopt}}) {
    ReadSuccess reads(60s, 30s);
    reads.read(1, now_);
    reads.asked(1, now_ + 60s);
    if (row.why) reads.failed(1, *row.why, now_ + 60s);
    EXPECT_EQ(reads.judge(Judged::kYes, 1, now_ + 659s).verdict, Verdict::kGivesLogs) << row.what;
    EXPECT_EQ(reads.judge(Judged::kYes, 1, now_ + 660s).verdict, Verdict::kNoneRead) << row.what;
    EXPECT_EQ(reads.owed_since(), now_ + 60s) << row.what;
    reads.read(1, now_ + 661s);
    EXPECT_EQ(reads.judge(Judged::kYes, 1, now_ + 661s).verdict, Verdict::kGivesLogs) << row.what;
  }
}

TEST_F(AReadSuccess, CountsFromTheLastReadOfAny) {
  fail(1, passing());
  for (int i = 0; i < 20; ++i) {
    pass(500s);
    read(2);
    EXPECT_EQ(judge(2), Verdict::kGivesLogs) << "one session says nothing of the source";
  }
  pass(600s);
  EXPECT_EQ(judge(2), Verdict::kNoneRead);
}

TEST_F(AReadSuccess, NeverCallsItHangingBeforeTheTimeout) {
  ReadSuccess reads(100ms, 30s);
  reads.asked(1, now_);
  EXPECT_EQ(reads.judge(Judged::kYes, 1, now_ + 29s).verdict, Verdict::kGivesLogs);
  EXPECT_EQ(reads.judge(Judged::kYes, 1, now_ + 30s).verdict, Verdict::kNoneRead);
}

TEST_F(AReadSuccess, IsNotWellWhenThreeSessionsAndATenthOfThoseDueFailForTenMinutes) {
  struct Row {
    std::uint64_t failing;
    std::size_t due;
    Verdict verdict;
  };
  for (const Row& row : std::vector<Row>{{1, 5, Verdict::kGivesLogs},
                                         {2, 5, Verdict::kGivesLogs},
                                         {3, 5, Verdict::kManyFail},
                                         {3, 30, Verdict::kManyFail},
                                         {3, 31, Verdict::kGivesLogs},
                                         {10, 55, Verdict::kManyFail},
                                         {10, 101, Verdict::kGivesLogs}}) {
    ReadSuccess reads(60s, 30s);
    for (std::uint64_t i = 0; i < row.failing; ++i) {
      reads.asked(i, now_);
      reads.failed(i, passing(), now_);
    }
    const auto at = [&](std::chrono::seconds span) {
      reads.read(1'000, now_ + span);
      return reads.judge(Judged::kYes, row.due, now_ + span);
    };
    EXPECT_EQ(at(599s).verdict, Verdict::kGivesLogs) << row.failing << " of " << row.due;
    EXPECT_EQ(at(600s).verdict, row.verdict) << row.failing << " of " << row.due;
    if (row.verdict == Verdict::kManyFail) {
      EXPECT_EQ(at(600s).sessions, row.failing);
      // One that recovers.
      for (std::uint64_t i = 0; i < row.failing; ++i) reads.read(i, now_ + 700s);
      EXPECT_EQ(at(700s).verdict, Verdict::kGivesLogs);
    }
  }
}

TEST_F(AReadSuccess, DoesNotAddUpFailuresBetweenWhichASessionWasRead) {
  for (int i = 0; i < 100; ++i) {
    for (std::uint64_t session = 0; session < 5; ++session) fail(session, passing());
    pass(300s);
    for (std::uint64_t session = 0; session < 5; ++session) read(session);
    EXPECT_EQ(judge(5), Verdict::kGivesLogs);
  }
}

TEST_F(AReadSuccess, RefusesWhenThreeSessionsAndMostOfThoseDueAreRefusedInARow) {
  for (const std::uint64_t session : {1, 2, 1, 2}) fail(session, refusal());
  EXPECT_EQ(judge(3), Verdict::kGivesLogs);
  fail(3, refusal());
  EXPECT_EQ(judge(3), Verdict::kRefuses);
  EXPECT_EQ(judge(6), Verdict::kRefuses);
  EXPECT_EQ(judge(7), Verdict::kGivesLogs) << "others were not asked yet";
  pass(60s);
  EXPECT_EQ(judge(7), Verdict::kRefuses) << "by now they were";
  read(4);
  EXPECT_EQ(judge(3), Verdict::kGivesLogs);
  for (const std::uint64_t session : {1, 2}) fail(session, refusal());
  EXPECT_EQ(judge(3), Verdict::kGivesLogs) << "counted anew";
}

TEST_F(AReadSuccess, DoesNotCallWhatPassesARefusal) {
  for (std::uint64_t session = 0; session < 10; ++session) fail(session, passing());
  EXPECT_EQ(judge(10), Verdict::kGivesLogs);
}

TEST_F(AReadSuccess, JudgesNobodyWhileTheQueueIsFull) {
  fail(1, passing());
  pass(300s);
  EXPECT_EQ(judge(1), Verdict::kGivesLogs);
  reads_.judge(Judged::kNotNow, 1, now_);
  pass(10h);
  EXPECT_EQ(reads_.judge(Judged::kNotNow, 1, now_).verdict, Verdict::kGivesLogs);
  EXPECT_EQ(judge(1), Verdict::kGivesLogs) << "that time does not count";
  pass(299s);
  EXPECT_EQ(judge(1), Verdict::kGivesLogs);
  pass(1s);
  EXPECT_EQ(judge(1), Verdict::kNoneRead) << "what was before it does";
  EXPECT_EQ(reads_.judge(Judged::kNotNow, 1, now_).verdict, Verdict::kNoneRead) << "it stays at what was said";
}

TEST_F(AReadSuccess, ForgetsASessionThatIsGone) {
  for (std::uint64_t session = 0; session < 3; ++session) fail(session, refusal());
  EXPECT_EQ(judge(3), Verdict::kRefuses);
  reads_.gone(0);
  reads_.gone(77);
  EXPECT_EQ(judge(2), Verdict::kGivesLogs);
  for (std::uint64_t session = 0; session < 3; ++session) reads_.gone(session);
  pass(100h);
  EXPECT_EQ(judge(0), Verdict::kGivesLogs);
}

TEST_F(AReadSuccess, DoesNotBlameTheSourceForALogThatIsGoneOnceAnotherCanBeRead) {
  const auto purged = [this](std::uint64_t session) {
    reads_.asked(session, now_);
    reads_.failed(session, refusal(404), now_, ReadSuccess::About::kSession);
  };
  purged(1);
  purged(2);
  pass(100h);
  EXPECT_EQ(judge(2), Verdict::kGivesLogs) << "two in a quiet source";
  purged(3);
  EXPECT_EQ(judge(3), Verdict::kNoneRead) << "three, and nothing else shows that it gives logs";
  read(4);
  for (int i = 0; i < 3; ++i) {
    for (const std::uint64_t session : {1, 2, 3}) purged(session);
    pass(100h);
    EXPECT_EQ(judge(3), Verdict::kGivesLogs) << i;
  }
  EXPECT_EQ(reads_.failing(), 3u);
  // More of them since: perhaps it gives none any more.
  for (const std::uint64_t session : {5, 6, 7}) purged(session);
  EXPECT_EQ(judge(6), Verdict::kRefuses);
  // What fails otherwise is judged as ever.
  read(4);
  for (const std::uint64_t session : {1, 2, 3}) fail(session, refusal());
  EXPECT_EQ(judge(6), Verdict::kRefuses);
}

TEST_F(AReadSuccess, CountsWhatFailsTwiceInARow) {
  fail(1, passing());
  fail(2, passing());
  EXPECT_EQ(reads_.failing(), 0u) << "one is an accident";
  fail(1, refusal());
  EXPECT_EQ(reads_.failing(), 1u);
  EXPECT_EQ(reads_.last_failure()->http_status, 403);
  read(1);
  EXPECT_EQ(reads_.failing(), 0u);
}

}  // namespace
}  // namespace sessionlogd
