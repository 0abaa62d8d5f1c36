#include "core/polling/log_verdict.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using Step = SessionLife::Next::Step;
constexpr PollMode kModes[] = {PollMode::kForever, PollMode::kOnePass};

TEST(LogVerdict, HowALogIsTakenFollowsWhatIsHeldAgainstIt) {
  EXPECT_EQ(strange_of({}), Strange::kLeave);
  EXPECT_EQ(strange_of({.vouched_for = true}), Strange::kTake);
  EXPECT_EQ(strange_of({.disputed = true}), Strange::kOnlyOwn);
  EXPECT_EQ(strange_of({.disputed = true, .vouched_for = true}), Strange::kOnlyOwn);
}

TEST(LogVerdict, WhoseALogIs) {
  struct Case {
    Doubt doubt;
    std::size_t entries;
    bool strange;
    Owner owner;
  };
  constexpr Doubt kNone{}, kDisputed{.disputed = true}, kOnItsWay{.disputed = true, .asked_before_dispute = true};
  const Case cases[] = {
      {kNone, 0, false, Owner::kSession},     {kNone, 3, false, Owner::kSession},
      {kNone, 3, true, Owner::kUnknown},      {kDisputed, 0, false, Owner::kSession},
      {kDisputed, 3, true, Owner::kAnother},  {kDisputed, 3, false, Owner::kCorrectedSession},
      {kOnItsWay, 3, false, Owner::kSession}, {kOnItsWay, 3, true, Owner::kAnother},
  };
  for (const Case& each : cases) {
    ReadOutcome read;
    read.entries = each.entries;
    read.strange = each.strange;
    EXPECT_EQ(owner_of(each.doubt, read), each.owner)
        << "case " << &each - cases << ": disputed " << each.doubt.disputed << ", entries " << each.entries;
  }
}

TEST(LogVerdict, WhatMayBeMissingOfASessionWhoseIdWasGivenAway) {
  EXPECT_TRUE(lacks_something({})) << "it ran when it was read last";
  EXPECT_FALSE(lacks_something({.was_done = true}));
  EXPECT_FALSE(lacks_something({.is_unread = true}));
  EXPECT_FALSE(lacks_something({.was_settling = true}));
  EXPECT_TRUE(lacks_something({.was_settling = true, .held_back = true}));
  EXPECT_FALSE(lacks_something({.was_done = true, .held_back = true}));
}

TEST(LogVerdict, WhenASessionIsReadAgain) {
  struct Case {
    ReadToEnd read;
    NextRead forever, one_pass;
  };
  const auto day = std::chrono::hours{24};
  const Case cases[] = {
      {{.next = {Step::kDone}}, NextRead::kDone, NextRead::kDone},
      {{.next = {Step::kDone}, .disputed = true}, NextRead::kOfAnother, NextRead::kOfAnother},
      {{.next = {Step::kDone}, .disputed = true, .was_done = true}, NextRead::kDone, NextRead::kDone},
      {{.next = {Step::kDone}, .disputed = true, .entries = 1}, NextRead::kAtOnce, NextRead::kAtOnce},
      {{.next = {Step::kByPace}}, NextRead::kByPace, NextRead::kNotInOnePass},
      {{.next = {Step::kByPace}, .without_news = 30 * day}, NextRead::kByPace, NextRead::kNotInOnePass},
      {{.next = {Step::kByPace}, .without_news = 30 * day + 1ms}, NextRead::kDone, NextRead::kNotInOnePass},
      {{.next = {Step::kWait, 5s}}, NextRead::kAfterWait, NextRead::kNotInOnePass},
      // Its final state was seen after the read was sent.
      {{.next = {Step::kWait, 0s}}, NextRead::kAfterWait, NextRead::kAfterWait},
      // What settles is done when SessionLife says so, however old it is.
      {{.next = {Step::kWait, 0s}, .without_news = 90 * day}, NextRead::kAfterWait, NextRead::kAfterWait},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(next_read(each.read, PollMode::kForever), each.forever) << "case " << &each - cases;
    EXPECT_EQ(next_read(each.read, PollMode::kOnePass), each.one_pass) << "case " << &each - cases;
  }
}

TEST(LogVerdict, WhatAFailureSays) {
  Error gone(ErrorKind::kRefused, "gone");
  gone.http_status = 404;
  const Error refused(ErrorKind::kRefused, "no"), broken(ErrorKind::kBadResponse, "?"), later(ErrorKind::kTryLater, "");
  struct Case {
    FailedRead read;
    bool its_own, for_good;
  };
  const Case cases[] = {
      // A 404 is believed only where a listing works and lacks the session.
      {{.error = gone}, false, false},
      {{.error = gone, .source_lists = true}, false, true},
      {{.error = gone, .source_lists = true, .is_listed = true}, false, false},
      {{.error = gone, .final = true, .source_lists = true}, true, true},
      {{.error = gone, .final = true, .source_lists = true, .is_listed = true}, true, false},
      {{.error = gone, .final = true}, false, false},
      // What has ended stays as it is; what runs may be well the next time.
      {{.error = refused, .final = true, .source_lists = true, .is_listed = true}, false, true},
      {{.error = broken, .final = true}, false, true},
      {{.error = refused, .source_lists = true}, false, false},
      {{.error = broken, .source_lists = true}, false, false},
      {{.error = later, .final = true, .source_lists = true}, false, false},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(about(each.read) == ReadSuccess::About::kSession, each.its_own) << "case " << &each - cases;
    EXPECT_EQ(may_be_for_good(each.read), each.for_good) << "case " << &each - cases;
  }
}

TEST(LogVerdict, OnlyOnePassLeavesASessionUnread) {
  const Error later(ErrorKind::kTryLater, ""), no_token(ErrorKind::kLogInAgain, "");
  Error refused(ErrorKind::kRefused, "no"), gone(ErrorKind::kRefused, "gone");
  refused.http_status = 403;
  gone.http_status = 404;
  for (const auto& [error, tries] : {std::pair(later, kTriesInOnePass), std::pair(gone, kTriesInOnePass),
                                     std::pair(refused, 1u), std::pair(no_token, 1u)}) {
    for (unsigned failures = 1; failures < 2 * kTriesInOnePass; ++failures) {
      const FailedRead read{.error = error, .failures_in_a_row = failures};
      EXPECT_FALSE(is_left_unread(read, PollMode::kForever)) << failures;
      EXPECT_EQ(is_left_unread(read, PollMode::kOnePass), failures >= tries) << failures << " " << error.detail;
    }
  }
}

}  // namespace
}  // namespace sessionlogd
