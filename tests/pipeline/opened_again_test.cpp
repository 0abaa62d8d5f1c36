// A session that was done and is opened again: which of its entries are news.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/state/identity.h"
#include "tests/pipeline/entries.h"

namespace sessionlogd::test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Instant at(int second) { return {1'767'322'800 + second, 0}; }  // 2026-01-02T03:00:00Z and so many seconds

// What is left of a session that had delivered these entries, and was done at 100 s.
SessionState opened_again(const std::vector<std::string>& delivered) {
  Reading before = aws();
  before.read(aws_response("s-1", delivered));
  SessionState again = before.session();
  again.delivered_sum = again.history.sum();
  again.history = {};
  again.only_after = at(100);
  return again;
}

std::vector<std::string> messages(const std::vector<std::string>& lines) {
  std::vector<std::string> texts;
  for (const std::string& line : lines)
    texts.push_back(text_at(line, "/sessionlog/change") == "gap" ? "gap" : text_at(line, "/message"));
  return texts;
}

TEST(SessionOpenedAgain, IsComparedWithItsFingerprints) {
  Reading before = aws();
  before.read(aws_response("s-1", {std::string(kRunning), step(50, "a")}));
  SessionState again = before.session();
  again.history = SessionHistory::of(again.history.fingerprints());
  Reading after(source_of("veeam-aws", "aws-eu"), again);
  EXPECT_THAT(after.read(aws_response("s-1", {std::string(kRunning), step(50, "a")})), SizeIs(0));
  const auto news = after.read(aws_response("s-1", {std::string(kDone), step(50, "a"), step(10, "late")}));
  EXPECT_THAT(messages(news), ElementsAre("late", "step"));
  EXPECT_THAT(text_at(news.at(1), "/event/id"),
              testing::EndsWith(fmt::format("{:016x}", before.session().history.key(1))));
}

TEST(SessionOpenedAgain, SumTellsWhatIsNews) {
  const std::string a = step(10, "a"), b = step(20, "b"), c = step(30, "c"), late = step(5, "late"),
                    end = step(200, "end");
  const struct {
    std::vector<std::string> delivered, log, emitted;
  } table[] = {
      {{a, b, c}, {a, b, c}, {}},
      {{a, b, c}, {c, a, b}, {}},
      {{a, b, c}, {a, b, c, late, end}, {"late", "end"}},
      {{c, a, b}, {c, a, b, late}, {"late"}},
      {{a, b}, {step(210, "x"), b, end, a}, {"end", "x"}},
      {{}, {a, b}, {"a", "b"}},
      {{a, b, c}, {late, a, b, c}, {"gap"}},
      {{a, b, c}, {a, b, end}, {"gap", "end"}},
      {{a, b, c}, {late, a, b, c, end}, {"gap", "end"}},
  };
  for (const auto& row : table) {
    Reading reading(source_of("veeam-aws", "aws-eu"), opened_again(row.delivered));
    EXPECT_EQ(messages(reading.read(aws_response("s-1", row.log))), row.emitted)
        << fmt::format("{}", fmt::join(row.log, "\n"));
    EXPECT_EQ(reading.session().delivered_sum, std::nullopt);
    EXPECT_EQ(Instant(reading.session().only_after), kNever);
    // From here on it is like any other: no time says that an entry is old.
    std::vector<std::string> log = row.log;
    log.push_back(step(1, "back-dated"));
    EXPECT_THAT(messages(reading.read(aws_response("s-1", log))), ElementsAre("back-dated"));
  }
}

TEST(SessionOpenedAgain, WithItsTimeAloneSaysWhatMayBeMissing) {
  const std::string a = step(10, "a"), late = step(5, "late"), end = step(200, "end");
  const std::string untimed = R"({"status":"Success","logTime":"soon","message":"untimed"})";
  const struct {
    std::vector<std::string> log, emitted;
  } table[] = {{{a, late}, {}}, {{a, end}, {"gap", "end"}}, {{a, untimed}, {""}}};
  for (const auto& row : table) {
    SessionState state = opened_again({a});
    state.delivered_sum.reset();
    Reading reading(source_of("veeam-aws", "aws-eu"), state);
    EXPECT_EQ(messages(reading.read(aws_response("s-1", row.log))), row.emitted);
    EXPECT_EQ(Instant(reading.session().only_after), kNever);
    EXPECT_THAT(reading.read(aws_response("s-1", row.log)), SizeIs(0));
  }
}

// It may be one that is not there yet.
TEST(SessionOpenedAgain, EmptyLogDecidesNothing) {
  const std::string a = step(10, "a"), b = step(20, "b");
  Reading reading(source_of("veeam-aws", "aws-eu"), opened_again({a, b}));
  EXPECT_THAT(reading.read(aws_response("s-1", {})), SizeIs(0));
  EXPECT_TRUE(reading.session().delivered_sum);
  EXPECT_THAT(reading.read(aws_response("s-1", {a, b})), SizeIs(0)) << "it was delivered";
  EXPECT_FALSE(reading.session().delivered_sum);
}

// What is cleared in memory must be cleared in the state, also by a read that emits nothing.
TEST(SessionOpenedAgain, ThatItIsKnownIsMadeDurable) {
  const std::string a = step(10, "a");
  for (const std::vector<std::string>& log :
       {std::vector<std::string>{a}, std::vector<std::string>{a, step(20, "b")}}) {
    Reading reading(source_of("veeam-aws", "aws-eu"), opened_again(log));
    ASSERT_TRUE(reading.try_read(aws_response("s-1", log)).has_value());
    const auto batches = reading.take_batches();
    ASSERT_THAT(batches, SizeIs(1));
    ASSERT_THAT(batches[0].records, SizeIs(2));
    const SessionState stored = decode_session(batches[0].records[0].value);
    EXPECT_EQ(stored.delivered_sum, std::nullopt);
    EXPECT_EQ(Instant(stored.only_after), kNever);
  }
}

TEST(SessionOpenedAgain, ResponseThatIsNotWholeDecidesNothing) {
  const std::string a = step(10, "a"), b = step(20, "b"), end = step(200, "end");
  const std::string whole = aws_response("s-1", {a, b, end});
  std::string page = aws_response("s-1", {a, end});
  page.insert(page.size() - 1, R"(,"totalCount":3)");
  for (const std::string& part : {page, whole.substr(0, whole.size() - 2)}) {
    Reading reading(source_of("veeam-aws", "aws-eu"), opened_again({a, b}));
    EXPECT_EQ(reading.try_read(part)->events(), 0u);
    EXPECT_THAT(reading.take_batches(), SizeIs(0));
    EXPECT_TRUE(reading.session().delivered_sum);
    EXPECT_THAT(messages(reading.read(whole)), ElementsAre("end"));
  }
}

// The queue is full in the middle: what was decided holds for the rest, also after a crash between two parts.
TEST(SessionOpenedAgain, WhatIsDecidedHoldsOverTheParts) {
  std::vector<std::string> delivered, log;
  for (int i = 0; i < 20; ++i) delivered.push_back(step(i, fmt::format("old {}", i)));
  log = delivered;
  for (int i = 0; i < 1'200; ++i)
    log.push_back(step(50 - i % 20, fmt::format("news {} {}", i, std::string(2'000, 'x'))));
  const std::string response = aws_response("s-1", log);
  for (const bool is_known : {true, false}) {
    SessionState state = opened_again(delivered);
    if (!is_known) {
      ++*state.delivered_sum;
      state.only_after = at(19);
    }
    std::vector<std::string> ids;
    std::size_t gaps = 0;
    for (bool more = true; more;) {
      Reading reading(source_of("veeam-aws", "aws-eu"), state, {.events_per_read = 1});
      const auto outcome = reading.try_read(response);
      ASSERT_TRUE(outcome.has_value());
      more = outcome->more;
      gaps += outcome->events_gap;
      for (const std::string& line : lines_of(reading.take_batches())) {
        EXPECT_EQ(text_at(line, "/message").find("old"), std::string::npos);
        ids.push_back(text_at(line, "/event/id"));
      }
      state = reading.session();
    }
    EXPECT_EQ(gaps, is_known ? 0u : 1u);
    EXPECT_EQ(ids.size(), 1'200 + gaps);
    std::sort(ids.begin(), ids.end());
    EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end());
  }
}

// The events of a decision are in the output, and the state that goes with them is not: it is decided again.
TEST(SessionOpenedAgain, DecisionThatACrashCutOffIsTakenAgainWithoutRepeating) {
  const std::string a = step(10, "a"), end = step(200, "end"), more = step(210, "more");
  SessionState state = opened_again({step(10, "other")});
  Reading first(source_of("veeam-aws", "aws-eu"), state);
  ASSERT_TRUE(first.try_read(aws_response("s-1", {a, end})).has_value());
  const auto batches = first.take_batches();
  ASSERT_THAT(batches, SizeIs(1));
  for (const EventRef& event : batches[0].index) state.history.append(event.entry_key, event.hash, 0);
  Reading again(source_of("veeam-aws", "aws-eu"), state);
  EXPECT_THAT(messages(again.read(aws_response("s-1", {a, end, more}))), ElementsAre("more"));
}

// Twins of which the first was delivered: the second must not get its key.
TEST(SessionOpenedAgain, TwinsKeepTheirOrdinals) {
  const std::string early = step(20, "same"), late = step(10, "same");
  SessionState state = opened_again({early});
  Reading reading(source_of("veeam-aws", "aws-eu"), state);
  const auto news = reading.read(aws_response("s-1", {early, late}));
  ASSERT_THAT(news, SizeIs(1));
  const std::uint64_t key = reading.session().history.key(1);
  EXPECT_EQ(key, twin_key(reading.session().history.key(0), 1, state.key));
  EXPECT_EQ(text_at(news[0], "/sessionlog/log_time"), "2026-01-02T03:00:10");
}

}  // namespace
}  // namespace sessionlogd::test
