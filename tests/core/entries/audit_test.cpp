#include "core/entries/audit.h"

#include <gtest/gtest.h>

#include "core/state/identity.h"
#include "tests/core/entries/log_text.h"

namespace sessionlogd {
namespace {

using test::kSessionKey;
using test::LogText;

constexpr std::string_view kEarly = R"({"logTime":"2020-06-20T10:00:00","status":"Success","message":"a"})";
constexpr std::string_view kLate =
    R"({"logTime":"2020-06-20T12:00:00","status":"Success","message":"b","executionStartTime":"2020-06-20T11:00:00"})";
constexpr std::string_view kWithoutTime = R"({"logTime":null,"status":"Success","message":"c"})";

std::string log_of(std::string_view entries) { return R"({"log":[)" + std::string(entries) + "]}"; }
std::string log_of(std::string_view one, std::string_view other) {
  return log_of(std::string(one) + "," + std::string(other));
}
Instant at(const std::string& hour) { return parse_rfc3339("2020-06-20T" + hour + ":00:00Z")->instant; }

class AuditTest : public testing::Test {
 protected:
  Instant expect(const std::string& log, Audit::Session session = {}, bool only_final = false) {
    session.key = kSessionKey;
    return audit_.expect(std::move(session), log_.read(log), zone_, only_final, log_.former());
  }

  Audit audit_;
  LogText log_{test::aws()};
  const ZoneRules zone_{TimeZone{}};
};

TEST_F(AuditTest, KnowsBeforeWhenNothingCanHaveBeenDelivered) {
  const struct {
    std::string log;
    std::optional<Instant> start;
    Instant earliest;
  } table[] = {
      {log_of(kLate), at("10"), at("10")},
      {log_of(kLate), at("13"), at("11")},
      {log_of(kLate), std::nullopt, at("11")},
      {log_of(kLate, kEarly), std::nullopt, at("10")},
      {log_of(kWithoutTime, kEarly), at("09"), at("09")},
      {log_of(kWithoutTime, kEarly), std::nullopt, Instant{INT64_MIN}},
      {log_of(""), at("09"), at("09")},
      {log_of(""), std::nullopt, Instant{INT64_MAX}},
  };
  for (const auto& row : table) EXPECT_EQ(expect(row.log, {.id = "s1", .start = row.start}), row.earliest) << row.log;
}

TEST_F(AuditTest, SaysOfWhatIsMissingWhetherTheStateCountsItAsDelivered) {
  const std::string log = log_of(kEarly, kLate);
  SessionHistory history;
  history.append(log_.read(log).entries[1].base, 0, 0);
  const SessionHistory fingerprints = SessionHistory::of(history.fingerprints());
  const struct {
    const SessionHistory* remembered;
    Instant delivered_to;
    bool early, late;
  } table[] = {
      {nullptr, Instant{INT64_MIN}, false, false},
      {&history, Instant{INT64_MIN}, false, true},
      {&fingerprints, Instant{INT64_MIN}, false, true},
      {nullptr, at("10"), true, false},
      {&history, at("10"), true, true},
  };
  for (const auto& row : table) {
    audit_ = {};
    expect(log, {.id = "s1", .remembered = row.remembered, .delivered_to = row.delivered_to});
    const std::vector<Audit::Finding> findings = audit_.findings(3);
    ASSERT_EQ(findings.size(), 2u);
    for (const Audit::Finding& finding : findings)
      EXPECT_EQ(finding.remembered, *finding.log_time == at("10") ? row.early : row.late);
  }
}

// A session that settles is read once more: what the state does not know may come then.
TEST_F(AuditTest, WaitsForNothingThatTheStateCountsAsDelivered) {
  const std::string log = log_of(kEarly, kLate);
  const Entry early = log_.read(log).entries[0], late = log_.read(log).entries[1];
  SessionHistory history;
  history.append(early.base, early.hash, 0);
  history.append(late.base, late.hash + 1, 0);
  const auto counts = [&](bool delivered) {
    audit_ = {};
    expect(log, {.id = "s1", .due_before = Instant{INT64_MIN}, .remembered = &history});
    for (const std::uint64_t base : {early.base, late.base}) {
      Delivered event{};
      event.session_key = kSessionKey;
      event.entry_key = base;
      event.hash = 7;
      if (delivered) audit_.delivered(event);
    }
    return audit_.counts(1)[0];
  };
  EXPECT_EQ(counts(false).missing, 2u);
  EXPECT_EQ(counts(true).changed, 1u) << "the form that the state knows is not there";
  EXPECT_EQ(counts(true).pending, 1u) << "it may have changed since";
}

// Which of them has which key is not told: their order may be another each time.
class TwinsOfAnAudit : public AuditTest {
 protected:
  static constexpr std::string_view kFailed = R"({"logTime":"2020-06-20T10:00:00","status":"Error","message":"a"})";
  static constexpr std::string_view kRunning = R"({"logTime":"2020-06-20T10:00:00","status":"Running","message":"a"})";

  TwinsOfAnAudit() {
    const std::vector<Entry> twins = log_.read(both_).entries;
    base_ = twins[0].base;
    succeeded_ = twins[0].hash;
    failed_ = twins[1].hash;
  }

  std::uint64_t key(std::uint32_t ordinal) const { return twin_key(base_, ordinal, kSessionKey); }
  void remember(std::uint32_t ordinal, std::uint32_t hash) { history_.append(key(ordinal), hash, 0); }
  void expect_settling(const std::string& log) {
    expect(log, {.id = "s1", .due_before = Instant{INT64_MIN}, .remembered = &history_});
  }
  void deliver(std::uint32_t ordinal, std::uint32_t hash) {
    Delivered event{};
    event.session_key = kSessionKey;
    event.entry_key = key(ordinal);
    event.log_time = at("10");
    event.hash = hash;
    audit_.delivered(event);
  }
  Audit::Counts counts() { return audit_.counts(1)[0]; }

  const std::string both_ = log_of(kEarly, kFailed);
  std::uint64_t base_ = 0;
  std::uint32_t succeeded_ = 0, failed_ = 0;
  SessionHistory history_;
};

TEST_F(TwinsOfAnAudit, AreMissingWhereTheStateRemembersMoreThanWereDelivered) {
  remember(0, failed_);
  remember(1, succeeded_);
  for (const std::uint32_t removed : {0u, 1u, 2u}) {
    audit_ = {};
    expect_settling(both_);
    if (removed != 0) deliver(0, failed_);
    if (removed != 1) deliver(1, succeeded_);
    EXPECT_EQ(counts().missing, removed < 2 ? 1u : 0u);
    EXPECT_EQ(counts().is_well(), removed == 2);
    EXPECT_EQ(counts().pending, 0u);
    const std::vector<Audit::Finding> findings = audit_.findings(2);
    ASSERT_EQ(findings.size(), removed < 2 ? 1u : 0u);
    for (const Audit::Finding& finding : findings) EXPECT_TRUE(finding.remembered);
  }
}

TEST_F(TwinsOfAnAudit, AreWaitedForWhereTheStateRemembersOneLess) {
  remember(0, failed_);
  expect_settling(both_);
  deliver(0, failed_);
  EXPECT_TRUE(counts().is_well());
  EXPECT_EQ(counts().pending, 1u);
}

TEST_F(TwinsOfAnAudit, AreThereUnderAnyKeyThatTheStateRemembers) {
  remember(0, succeeded_);
  remember(1, failed_);
  expect(log_of(kFailed), {.id = "s1", .remembered = &history_});
  EXPECT_EQ(counts().missing, 1u);
  deliver(0, succeeded_);
  EXPECT_EQ(counts().changed, 1u);
  deliver(1, failed_);
  EXPECT_TRUE(counts().is_well());
  EXPECT_EQ(counts().extra, 0u);
}

TEST_F(TwinsOfAnAudit, AreNoneWhereAllButOneAreNotDue) {
  expect(log_of(kRunning, kEarly), {.id = "s1", .remembered = &history_}, true);
  deliver(0, succeeded_);
  EXPECT_TRUE(counts().is_well());
  remember(0, succeeded_ + 1);  // its last read had delivered both
  remember(1, succeeded_);
  audit_ = {};
  expect(log_of(kRunning, kEarly), {.id = "s1", .remembered = &history_}, true);
  deliver(0, succeeded_ + 1);
  deliver(1, succeeded_);
  EXPECT_TRUE(counts().is_well());
  EXPECT_EQ(counts().extra, 0u);
}

TEST_F(TwinsOfAnAudit, OneThatIsShownForAMomentIsNotAskedFor) {
  remember(0, succeeded_);
  Audit::Session session{.id = "s1", .key = kSessionKey, .remembered = &history_};
  expect(log_of(kFailed, kEarly), session);
  deliver(0, succeeded_);
  EXPECT_EQ(counts().missing, 1u);
  audit_.expect_still(session, log_.read(log_of(kEarly)), false);
  EXPECT_TRUE(counts().is_well());
  EXPECT_EQ(counts().pending, 1u);
}

TEST_F(AuditTest, CountsLogsThatAreEmptyNow) {
  const std::uint64_t base = log_.read(log_of(kEarly)).entries[0].base;
  Delivered event{};
  event.session_key = kSessionKey;
  event.entry_key = base;
  event.log_time = at("10");
  for (const std::string& log : {log_of(""), log_of(kLate)}) {
    audit_ = {};
    expect(log, {.id = "s1"});
    EXPECT_EQ(audit_.counts(1)[0].emptied, 0u) << "nothing was delivered of it";
    audit_.delivered(event);
    EXPECT_EQ(audit_.counts(1)[0].extra, 1u);
    EXPECT_EQ(audit_.counts(1)[0].emptied, log == log_of("") ? 1u : 0u);
  }
}

// An entry that changes twice between two polls, or is shown for a moment, is seen by one reader and not by the other.
TEST_F(AuditTest, AsksForNoFormThatIsNotShownAnyMore) {
  constexpr std::string_view kRuns = R"({"logTime":"2020-06-20T10:00:00","status":"Running","message":"a"})";
  const std::uint64_t base = log_.read(log_of(kEarly)).entries[0].base;
  Delivered event{};
  event.session_key = kSessionKey;
  event.entry_key = base;
  event.hash = 1;
  event.log_time = at("10");
  const struct {
    bool is_delivered;
    std::string again;
    std::size_t missing, changed, pending;
  } table[] = {
      {true, log_of(kRuns), 0, 1, 0},  {true, log_of(kEarly), 0, 0, 1},  {true, log_of(kLate), 0, 0, 1},
      {false, log_of(kRuns), 1, 0, 0}, {false, log_of(kEarly), 1, 0, 0}, {false, log_of(kLate), 0, 0, 1},
  };
  for (const auto& row : table) {
    audit_ = {};
    expect(log_of(kRuns), {.id = "s1"});
    if (row.is_delivered) audit_.delivered(event);
    const std::vector<const Audit::Session*> asked = audit_.in_question();
    ASSERT_EQ(asked.size(), 1u);
    audit_.expect_still(*asked[0], log_.read(row.again), false);
    const Audit::Counts counts = audit_.counts(1)[0];
    EXPECT_EQ(counts.missing, row.missing) << row.again;
    EXPECT_EQ(counts.changed, row.changed) << row.again;
    EXPECT_EQ(counts.pending, row.pending) << row.again;
    EXPECT_EQ(audit_.in_question().empty(), row.pending == 1) << row.again;
  }
}

TEST_F(AuditTest, BelievesTheStateThatAFormWasDeliveredAlsoWhenItIsNotShownAnyMore) {
  SessionHistory history;
  const Entry entry = log_.read(log_of(kEarly)).entries[0];
  history.append(entry.base, entry.hash, 0);
  expect(log_of(kEarly), {.id = "s1", .remembered = &history});
  ASSERT_EQ(audit_.in_question().size(), 1u);
  audit_.expect_still(*audit_.in_question()[0], log_.read(log_of(kLate)), false);
  EXPECT_EQ(audit_.counts(1)[0].missing, 1u);
}

TEST_F(AuditTest, TakesBackThatALogIsEmpty) {
  Delivered event{};
  event.session_key = kSessionKey;
  event.entry_key = log_.read(log_of(kEarly)).entries[0].base;
  event.log_time = at("10");
  expect(log_of(""), {.id = "s1"});
  audit_.delivered(event);
  ASSERT_EQ(audit_.in_question().size(), 1u);
  audit_.expect_still(*audit_.in_question()[0], log_.read(log_of(kEarly)), false);
  EXPECT_EQ(audit_.counts(1)[0].emptied, 0u);
  EXPECT_TRUE(audit_.in_question().empty());
}

// Events of the version before: an entry without a start had its log time for an identity.
TEST_F(AuditTest, FindsWhatWasDeliveredUnderTheKeysOfBefore) {
  const std::string repeated = log_of(R"({"logTime":"2020-06-20T10:00:00","status":"Success","message":"a"},)"
                                      R"({"logTime":"2020-06-20T10:00:01.1234567","status":"Success","message":"a"},)"
                                      R"({"logTime":"2020-06-20T10:00:02","status":"Success","message":"a"})");
  const SessionLog& log = log_.read(repeated);
  const FormerDigest first = log_.former().former(0), second = log_.former().former(1);
  const std::uint64_t base = log.entries[0].base;
  const auto deliver = [&](std::uint64_t key, std::uint32_t hash) {
    Delivered event{};
    event.session_key = kSessionKey;
    event.entry_key = key;
    event.log_time = at("10");
    event.hash = hash;
    audit_.delivered(event);
  };
  expect(repeated, {.id = "s1"});
  EXPECT_EQ(audit_.counts(1)[0].missing, 3u);
  deliver(first.base, first.hash);
  deliver(second.base, second.hash);
  EXPECT_EQ(audit_.counts(1)[0].missing, 1u);
  deliver(base, log.entries[2].hash);  // the third, delivered by this version
  const Audit::Counts counts = audit_.counts(1)[0];
  EXPECT_EQ(counts.missing, 0u);
  EXPECT_EQ(counts.changed, 0u);
  EXPECT_EQ(counts.extra, 0u);
}

TEST_F(AuditTest, TakesTheFormOfBeforeForThePresentOne) {
  const std::string log = log_of(
      R"({"logTime":"2020-06-20T10:00:01.1234567","status":"Success","message":"a","executionStartTime":"2020-06-20T10:00:00"})");
  const Entry entry = log_.read(log).entries[0];
  Delivered event{};
  event.session_key = kSessionKey;
  event.entry_key = entry.base;
  event.hash = log_.former().former(0).hash;
  ASSERT_NE(event.hash, entry.hash);
  expect(log, {.id = "s1"});
  audit_.delivered(event);
  EXPECT_TRUE(audit_.counts(1)[0].is_well());
  event.hash = 0;
  audit_.forget_delivered();
  audit_.delivered(event);
  EXPECT_EQ(audit_.counts(1)[0].changed, 1u);
}

}  // namespace
}  // namespace sessionlogd
