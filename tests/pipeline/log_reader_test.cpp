// What of an entry and of its source's settings reaches the event.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/state/identity.h"
#include "tests/pipeline/reading.h"

namespace sessionlogd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr std::string_view kRunning =
    R"({"status":"Running","logTime":"2026-01-02T03:04:05.5","message":"step","executionStartTime":"2026-01-02T03:04:00","executionDuration":7})";
constexpr std::string_view kDone =
    R"({"status":"Warning","logTime":"2026-01-02T03:04:09","message":"step","executionStartTime":"2026-01-02T03:04:00","executionDuration":9})";

SessionInfo session(std::string_view id = "s-1") { return {.id = id}; }

Reading aws() { return Reading(source_of("veeam-aws", "aws-eu"), session()); }
Reading azure() { return Reading(source_of("veeam-azure", "azure-uk"), session()); }

std::string aws_line(std::string_view entry) {
  const auto lines = aws().read(aws_answer("s-1", {std::string(entry)}));
  EXPECT_THAT(lines, SizeIs(1)) << entry;
  return lines.empty() ? "{}" : lines[0];
}

std::string azure_line(std::string_view entry) {
  const auto lines = azure().read(azure_answer("s-1", {std::string(entry)}));
  EXPECT_THAT(lines, SizeIs(1)) << entry;
  return lines.empty() ? "{}" : lines[0];
}

TEST(LogReader, EntryThatFinishesIsOneChangedEvent) {
  Reading reading = aws();
  const auto running = reading.read(aws_answer("s-1", {std::string(kRunning)}));
  const auto done = reading.read(aws_answer("s-1", {std::string(kDone)}));
  ASSERT_THAT(running, SizeIs(1));
  ASSERT_THAT(done, SizeIs(1));
  EXPECT_EQ(text_at(running[0], "/event/id"), text_at(done[0], "/event/id"));
  EXPECT_NE(text_at(running[0], "/event/hash"), text_at(done[0], "/event/hash"));
  EXPECT_EQ(text_at(done[0], "/sessionlog/change"), "changed");
  EXPECT_EQ(text_at(done[0], "/log/level"), "warning");
  EXPECT_THAT(done[0], HasSubstr(R"("end":"2026-01-02T03:04:09Z","duration":9000000000)"));
}

std::string step(int second, std::string_view message) {
  return fmt::format(
      R"({{"status":"Success","logTime":"2026-01-02T03:{:02}:{:02}","message":"{}","executionStartTime":"2026-01-02T03:00:00"}})",
      second / 60, second % 60, message);
}

Instant at(int second) { return {1'767'322'800 + second, 0}; }  // 2026-01-02T03:00:00Z and so many seconds

// What is left of a session that had delivered these entries, and was done at 100 s.
SessionState opened_again(const std::vector<std::string>& delivered) {
  Reading before = aws();
  before.read(aws_answer("s-1", delivered));
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

TEST(LogReader, SessionOpenedAgainIsComparedWithItsFingerprints) {
  Reading before = aws();
  before.read(aws_answer("s-1", {std::string(kRunning), step(50, "a")}));
  SessionState again = before.session();
  again.history = SessionHistory::of(again.history.fingerprints());
  Reading after(source_of("veeam-aws", "aws-eu"), again);
  EXPECT_THAT(after.read(aws_answer("s-1", {std::string(kRunning), step(50, "a")})), SizeIs(0));
  const auto news = after.read(aws_answer("s-1", {std::string(kDone), step(50, "a"), step(10, "late")}));
  EXPECT_THAT(messages(news), ElementsAre("late", "step"));
  EXPECT_THAT(text_at(news.at(1), "/event/id"),
              testing::EndsWith(fmt::format("{:016x}", before.session().history.key(1))));
}

TEST(LogReader, SumOfASessionOpenedAgainTellsWhatIsNews) {
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
    EXPECT_EQ(messages(reading.read(aws_answer("s-1", row.log))), row.emitted)
        << fmt::format("{}", fmt::join(row.log, "\n"));
    EXPECT_EQ(reading.session().delivered_sum, std::nullopt);
    EXPECT_EQ(Instant(reading.session().only_after), kNever);
    // From here on it is like any other: no time says that an entry is old.
    std::vector<std::string> log = row.log;
    log.push_back(step(1, "back-dated"));
    EXPECT_THAT(messages(reading.read(aws_answer("s-1", log))), ElementsAre("back-dated"));
  }
}

TEST(LogReader, SessionOpenedAgainWithItsTimeAloneSaysWhatMayBeMissing) {
  const std::string a = step(10, "a"), late = step(5, "late"), end = step(200, "end");
  const std::string untimed = R"({"status":"Success","logTime":"soon","message":"untimed"})";
  const struct {
    std::vector<std::string> log, emitted;
  } table[] = {{{a, late}, {}}, {{a, end}, {"gap", "end"}}, {{a, untimed}, {""}}};
  for (const auto& row : table) {
    SessionState state = opened_again({a});
    state.delivered_sum.reset();
    Reading reading(source_of("veeam-aws", "aws-eu"), state);
    EXPECT_EQ(messages(reading.read(aws_answer("s-1", row.log))), row.emitted);
    EXPECT_EQ(Instant(reading.session().only_after), kNever);
    EXPECT_THAT(reading.read(aws_answer("s-1", row.log)), SizeIs(0));
  }
}

// It may be one that is not there yet.
TEST(LogReader, EmptyLogOfASessionOpenedAgainDecidesNothing) {
  const std::string a = step(10, "a"), b = step(20, "b");
  Reading reading(source_of("veeam-aws", "aws-eu"), opened_again({a, b}));
  EXPECT_THAT(reading.read(aws_answer("s-1", {})), SizeIs(0));
  EXPECT_TRUE(reading.session().delivered_sum);
  EXPECT_THAT(reading.read(aws_answer("s-1", {a, b})), SizeIs(0)) << "it was delivered";
  EXPECT_FALSE(reading.session().delivered_sum);
}

// What is cleared in memory must be cleared in the state, also by a read that emits nothing.
TEST(LogReader, ThatASessionOpenedAgainIsKnownIsMadeDurable) {
  const std::string a = step(10, "a");
  for (const std::vector<std::string>& log :
       {std::vector<std::string>{a}, std::vector<std::string>{a, step(20, "b")}}) {
    Reading reading(source_of("veeam-aws", "aws-eu"), opened_again(log));
    ASSERT_TRUE(reading.try_read(aws_answer("s-1", log)).has_value());
    const auto batches = reading.take_batches();
    ASSERT_THAT(batches, SizeIs(1));
    ASSERT_THAT(batches[0].records, SizeIs(2));
    const SessionState stored = decode_session(batches[0].records[0].value);
    EXPECT_EQ(stored.delivered_sum, std::nullopt);
    EXPECT_EQ(Instant(stored.only_after), kNever);
  }
}

TEST(LogReader, AnswerThatIsNotWholeDecidesNothingOfASessionOpenedAgain) {
  const std::string a = step(10, "a"), b = step(20, "b"), end = step(200, "end");
  const std::string whole = aws_answer("s-1", {a, b, end});
  std::string page = aws_answer("s-1", {a, end});
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
TEST(LogReader, WhatIsDecidedOfASessionOpenedAgainHoldsOverTheParts) {
  std::vector<std::string> delivered, log;
  for (int i = 0; i < 20; ++i) delivered.push_back(step(i, fmt::format("old {}", i)));
  log = delivered;
  for (int i = 0; i < 1'200; ++i)
    log.push_back(step(50 - i % 20, fmt::format("news {} {}", i, std::string(2'000, 'x'))));
  const std::string answer = aws_answer("s-1", log);
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
      const auto outcome = reading.try_read(answer);
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
TEST(LogReader, DecisionThatACrashCutOffIsTakenAgainWithoutRepeating) {
  const std::string a = step(10, "a"), end = step(200, "end"), more = step(210, "more");
  SessionState state = opened_again({step(10, "other")});
  Reading first(source_of("veeam-aws", "aws-eu"), state);
  ASSERT_TRUE(first.try_read(aws_answer("s-1", {a, end})).has_value());
  const auto batches = first.take_batches();
  ASSERT_THAT(batches, SizeIs(1));
  for (const EventRef& event : batches[0].index) state.history.append(event.entry_key, event.hash, 0);
  Reading again(source_of("veeam-aws", "aws-eu"), state);
  EXPECT_THAT(messages(again.read(aws_answer("s-1", {a, end, more}))), ElementsAre("more"));
}

// Twins of which the first was delivered: the second must not get its key.
TEST(LogReader, TwinsOfASessionOpenedAgainKeepTheirOrdinals) {
  const std::string early = step(20, "same"), late = step(10, "same");
  SessionState state = opened_again({early});
  Reading reading(source_of("veeam-aws", "aws-eu"), state);
  const auto news = reading.read(aws_answer("s-1", {early, late}));
  ASSERT_THAT(news, SizeIs(1));
  const std::uint64_t key = reading.session().history.key(1);
  EXPECT_EQ(key, twin_key(reading.session().history.key(0), 1, state.key));
  EXPECT_EQ(text_at(news[0], "/sessionlog/log_time"), "2026-01-02T03:00:10");
}

TEST(LogReader, GapsOfOneKindAreNumbered) {
  Reading reading = aws();
  const std::string first = text_at(reading.gap(GapKind::kGivenUp).at(0), "/event/id");
  EXPECT_THAT(first, testing::EndsWith(fmt::format("{:016x}", gap_key(GapKind::kGivenUp, 0, reading.session().key))));
  const std::string second = text_at(reading.gap(GapKind::kGivenUp).at(0), "/event/id");
  const std::string other = text_at(reading.gap(GapKind::kMayBeMissing).at(0), "/event/id");
  EXPECT_NE(second, first);
  EXPECT_NE(other, first);
  EXPECT_NE(other, second);
}

TEST(LogReader, SaysWhenALogLacksWhatIsKnown) {
  const std::string a = step(10, "a"), b = step(20, "b");
  Reading reading = aws();
  reading.gap(GapKind::kGivenUp);
  const auto is_shrunk = [&](const std::string& answer) { return reading.try_read(answer)->shrunk; };
  EXPECT_FALSE(is_shrunk(aws_answer("s-1", {a, b})));
  EXPECT_FALSE(is_shrunk(aws_answer("s-1", {b, a})));
  EXPECT_TRUE(is_shrunk(aws_answer("s-1", {a})));
  EXPECT_TRUE(is_shrunk(aws_answer("s-1", {})));
  EXPECT_TRUE(is_shrunk(aws_answer("s-1", {a, step(30, "c")})));
  std::string page = aws_answer("s-1", {a});
  page.insert(page.size() - 1, R"(,"next":"/2")");
  EXPECT_FALSE(is_shrunk(page)) << "it may be elsewhere";
  std::string cut = aws_answer("s-1", {a});
  cut.resize(cut.size() - 2);
  EXPECT_FALSE(is_shrunk(cut));
}

// State of the version before: times to the digit, and the log time in place of a start.
TEST(LogReader, WhatTheVersionBeforeDeliveredIsNotDeliveredAgain) {
  const std::string start =
      R"({"logTime":"2026-01-02T03:04:05.1234567","status":"Success","message":"a","executionStartTime":"2026-01-02T03:04:04.7654321"})";
  const std::string none = R"({"logTime":"2026-01-02T03:04:06.1234567","status":"Success","message":"b"})";
  SessionState state = aws().session();
  const auto remember = [&](Instant identity, std::string_view message, Instant log_time) {
    HashInput input;
    input.add_time(identity);
    input.add_text(message);
    const std::uint64_t key = input.entry_base(state.key);
    input.clear();
    input.add_text("Success");
    input.add_time(log_time);
    input.add_absent();
    state.history.append(key, input.event_hash(), 0);
  };
  remember({1'767'323'044, 765'432'100}, "a", {1'767'323'045, 123'456'700});
  remember({1'767'323'046, 123'456'700}, "b", {1'767'323'046, 123'456'700});
  Reading reading(source_of("veeam-aws", "aws-eu"), state);
  EXPECT_THAT(reading.read(aws_answer("s-1", {start, none})), SizeIs(0));
  const auto news = reading.read(aws_answer("s-1", {start, none, std::string(kDone)}));
  ASSERT_THAT(news, SizeIs(1));
  EXPECT_EQ(text_at(news[0], "/message"), "step");
  std::string failed = start;
  failed.replace(failed.find("Success"), 7, "Failed");
  const auto changed = reading.read(aws_answer("s-1", {failed, none, std::string(kDone)}));
  ASSERT_THAT(changed, SizeIs(1));
  EXPECT_EQ(text_at(changed[0], "/sessionlog/change"), "changed");
  EXPECT_THAT(text_at(changed[0], "/event/id"), testing::EndsWith(fmt::format("{:016x}", state.history.key(0))));
}

TEST(LogReader, TimesThatLoseADigitAreNotNews) {
  Reading reading = azure();
  const auto entry = [](std::string_view digits) {
    return fmt::format(R"({{"logTime":"2026-01-02T03:04:05.{}Z","status":"Success","message":"a"}})", digits);
  };
  EXPECT_THAT(reading.read(azure_answer("s-1", {entry("1234567")})), SizeIs(1));
  EXPECT_THAT(reading.read(azure_answer("s-1", {entry("123456")})), SizeIs(0)) << "truncated";
  EXPECT_THAT(reading.read(azure_answer("s-1", {entry("123457")})), SizeIs(0)) << "rounded";
  EXPECT_THAT(reading.read(azure_answer("s-1", {entry("123458")})), SizeIs(1));
}

// One that repeats without a start ticks: no event for each poll.
TEST(LogReader, EntryWithoutAStartWhoseLogTimeMovesStaysOne) {
  Reading reading = aws();
  const auto entry = [](int second, std::string_view status) {
    return fmt::format(R"({{"logTime":"2026-01-02T03:04:{:02}","status":"{}","message":"waiting"}})", second, status);
  };
  EXPECT_THAT(reading.read(aws_answer("s-1", {entry(1, "Running")})), SizeIs(1));
  EXPECT_THAT(reading.read(aws_answer("s-1", {entry(2, "Running")})), SizeIs(0));
  EXPECT_THAT(reading.read(aws_answer("s-1", {entry(2, "Running"), entry(3, "Running")})), SizeIs(1)) << "a twin";
  EXPECT_THAT(reading.read(aws_answer("s-1", {entry(4, "Success"), entry(3, "Running")})), SizeIs(1));
}

TEST(LogReader, RunningEntryThatOnlyTicksIsNoChange) {
  Reading reading = aws();
  reading.read(aws_answer("s-1", {std::string(kRunning)}));
  std::string ticked(kRunning);
  ticked.replace(ticked.find("03:04:05.5"), 10, "03:04:08.1");
  EXPECT_THAT(reading.read(aws_answer("s-1", {ticked})), SizeIs(0));
}

TEST(LogReader, RunningAwsEntryHasNoEnd) {
  const std::string line = aws_line(kRunning);
  EXPECT_EQ(text_at(line, "/event/start"), "2026-01-02T03:04:00Z");
  EXPECT_EQ(text_at(line, "/event/end"), "");
  EXPECT_EQ(text_at(line, "/sessionlog/duration"), "7");
  EXPECT_THAT(line, Not(HasSubstr(R"("duration":5)")));
}

TEST(LogReader, NegativeDurationIsLeftOut) {
  const std::string aws = aws_line(
      R"({"status":"Success","logTime":"2026-01-02T03:04:05","message":"m","executionStartTime":"2026-01-02T03:04:06"})");
  EXPECT_EQ(text_at(aws, "/event/end"), "2026-01-02T03:04:05Z");
  EXPECT_THAT(aws, Not(HasSubstr("duration")));
  const std::string azure = azure_line(
      R"({"status":"Success","logTime":"2026-01-02T03:04:05Z","message":"m","executionStartTime":"2026-01-02T03:04:06Z","executionDuration":"-00:00:01"})");
  EXPECT_EQ(text_at(azure, "/event/end"), "");
  EXPECT_THAT(azure, Not(HasSubstr(R"("duration":-)")));
  EXPECT_EQ(text_at(azure, "/sessionlog/duration"), "-00:00:01");
}

TEST(LogReader, AzureDurationGivesTheEnd) {
  struct Row {
    std::string_view written, expected_end, expected_duration;
  };
  for (const Row& row : {Row{R"("1.00:00:00.5")", "2026-01-03T03:04:06.500Z", R"("duration":86400500000000)"},
                         Row{R"("00:00:00")", "2026-01-02T03:04:06Z", R"("duration":0})"},
                         Row{R"("9999999.00:00:00")", "", R"("record")"},  // past 64 bits of nanoseconds
                         Row{R"("soon")", "", R"("duration":"soon")"}}) {
    const std::string line = azure_line(
        R"({"status":"Running","logTime":"2026-01-02T03:04:05Z","message":"m","executionStartTime":"2026-01-02T03:04:06Z","executionDuration":)" +
        std::string(row.written) + "}");
    EXPECT_EQ(text_at(line, "/event/end"), row.expected_end) << row.written;
    EXPECT_THAT(line, HasSubstr(row.expected_duration));
  }
}

TEST(LogReader, UnreadableEntryIsAnErrorEventWithItsRawText) {
  struct Row {
    std::string_view entry, why;
  };
  for (const Row& row :
       {Row{R"(17)", "the entry is not an object"}, Row{R"(["a", 1])", "the entry is not an object"},
        Row{R"(null)", "the entry is not an object"}, Row{R"({})", "the entry has no log time"},
        Row{R"({"logTime":null,"status":"Success"})", "the entry has no log time"},
        Row{R"({"logTime":"05/20/2020","status":"Success"})", "the log time is not an RFC 3339 time"},
        Row{R"({"logTime":"2026-01-02T03:04:05","executionStartTime":""})", "the start time is not an RFC 3339 time"},
        Row{R"({"logTime":"2026-01-02T03:04:05","message":{"a":[1, "x"]}})", "the message is not a string"},
        Row{R"({"logTime":"2026-01-02T03:04:05","status":3})", "the status is not a string"},
        Row{R"({"logTime":1,"message":"m"})", "the log time is not a string"}}) {
    Reading reading = aws();
    const std::string answer = aws_answer("s-1", {std::string(row.entry)});
    const auto lines = reading.read(answer);
    ASSERT_THAT(lines, SizeIs(1)) << row.entry;
    EXPECT_EQ(text_at(lines[0], "/event/kind"), "pipeline_error");
    EXPECT_EQ(text_at(lines[0], "/sessionlog/change"), "error");
    EXPECT_EQ(text_at(lines[0], "/error/message"), row.why);
    EXPECT_EQ(text_at(lines[0], "/event/original"), row.entry);
    EXPECT_TRUE(parse_rfc3339(text_at(lines[0], "/@timestamp")));
    EXPECT_THAT(reading.read(answer), SizeIs(0)) << "emitted twice: " << row.entry;
  }
}

TEST(LogReader, EventsStandInOrderOfTimeUnreadableOnesLast) {
  Reading reading = aws();
  const auto lines =
      reading.read(aws_answer("s-1", {R"("no entry")", R"({"logTime":"2026-01-01T00:00:02","message":"c"})",
                                      R"({"logTime":"2026-01-01T02:00:01+02:00","message":"a"})",
                                      R"({"logTime":"2026-01-01T00:00:02.000","message":"d"})",
                                      R"({"logTime":"2026-01-01T00:00:01.000000001","message":"b"})"}));
  EXPECT_THAT(texts_at(lines, "/message"), ElementsAre("a", "b", "c", "d", ""));
}

TEST(LogReader, FieldsThatTheDialectDoesNotNameAreOneString) {
  const std::string line = azure_line(
      R"({"logTime":"2026-01-02T03:04:05Z","x":{"deep":[1, 2.50, "\u00e9"]},"message":"m","":"unnamed","id":9,"y":null,"resourceHashId":"r"})");
  EXPECT_EQ(text_at(line, "/sessionlog/extra"), R"({"x":{"deep":[1, 2.50, "\u00e9"]},"":"unnamed","id":9,"y":null})");
  EXPECT_EQ(text_at(line, "/sessionlog/resource_id"), "r");
  EXPECT_EQ(text_at(aws_line(kDone), "/sessionlog/extra"), "");
}

TEST(LogReader, EmptyAndAbsentMessagesDiffer) {
  EXPECT_THAT(aws_line(R"({"logTime":"2026-01-02T03:04:05","message":""})"), HasSubstr(R"("message":"")"));
  EXPECT_THAT(aws_line(R"({"logTime":"2026-01-02T03:04:05","message":null})"), Not(HasSubstr("message")));
  EXPECT_THAT(aws_line(R"({"logTime":"2026-01-02T03:04:05"})"), Not(HasSubstr("message")));
}

TEST(LogReader, KeepsTheOriginalWhenAsked) {
  SourceSettings settings = source_of("veeam-aws", "aws-eu");
  settings.keep_original = true;
  const std::string entry = "{ \"logTime\" : \"2026-01-02T03:04:05\",\n\t\"message\":\"\\u0041\" }";
  const auto lines = Reading(settings, session()).read(aws_answer("s-1", {entry}));
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(text_at(lines[0], "/event/original"), entry);
  EXPECT_EQ(text_at(lines[0], "/message"), "A");
  EXPECT_EQ(text_at(aws_line(entry), "/event/original"), "");
}

TEST(LogReader, CarriesLabelsAndTheSourcesIdWhereItIsNotItsName) {
  SourceSettings settings = source_of("veeam-aws", "renamed");
  settings.id = "aws-eu";
  settings.labels = {{"site", "fra1"}, {"quote", "\"\n"}};
  const std::string answer = aws_answer("s-1", {std::string(kDone)});
  const auto lines = Reading(settings, session()).read(answer);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(text_at(lines[0], "/labels/site"), "fra1");
  EXPECT_EQ(text_at(lines[0], "/labels/quote"), "\"\n");
  EXPECT_EQ(text_at(lines[0], "/sessionlog/source"), "renamed");
  EXPECT_EQ(text_at(lines[0], "/sessionlog/source_id"), "aws-eu");

  const std::string before = aws_line(kDone);
  EXPECT_EQ(text_at(before, "/sessionlog/source_id"), "");
  EXPECT_EQ(text_at(before, "/event/id"), text_at(lines[0], "/event/id")) << "renaming changed the ids";
}

TEST(LogReader, TimeZoneMovesTheTimesAndNotTheIds) {
  SourceSettings settings = source_of("veeam-aws", "aws-eu");
  settings.time_zone = {"+02:00", std::chrono::minutes{120}};
  const std::string answer = aws_answer("s-1", {std::string(kDone)});
  const auto moved = Reading(settings, session()).read(answer);
  ASSERT_THAT(moved, SizeIs(1));
  EXPECT_EQ(text_at(moved[0], "/@timestamp"), "2026-01-02T01:04:09Z");
  EXPECT_EQ(text_at(moved[0], "/event/start"), "2026-01-02T01:04:00Z");
  EXPECT_EQ(text_at(moved[0], "/event/end"), "2026-01-02T01:04:09Z");
  EXPECT_EQ(text_at(moved[0], "/sessionlog/log_time"), "2026-01-02T03:04:09");
  const std::string utc = aws_line(kDone);
  EXPECT_EQ(text_at(moved[0], "/event/id"), text_at(utc, "/event/id"));
  EXPECT_EQ(text_at(moved[0], "/event/hash"), text_at(utc, "/event/hash"));
}

TEST(LogReader, TimesAtTheEdgeOfTheCalendarStayInIt) {
  for (const char* name : {"America/New_York", "Asia/Tokyo"}) {
    SourceSettings settings = source_of("veeam-aws", "aws-eu");
    settings.time_zone = {name, std::nullopt};
    const auto lines = Reading(settings, session())
                           .read(aws_answer("s-1", {R"({"logTime":"0000-01-01T00:00:00","message":"first"})",
                                                    R"({"logTime":"9999-12-31T23:59:59","message":"last"})"}));
    ASSERT_THAT(lines, SizeIs(2));
    for (const std::string& line : lines) {
      const std::string_view year = text_at(line, "/message") == "first" ? "0000" : "9999";
      EXPECT_EQ(text_at(line, "/@timestamp").substr(0, 4), year) << name;
    }
  }
}

TEST(LogReader, AnswerOfAnotherSessionIsRefused) {
  Reading reading = aws();
  const auto outcome = reading.try_read(aws_answer("s-2", {std::string(kDone)}));
  ASSERT_TRUE(outcome.has_error());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kBadAnswer);
  EXPECT_THAT(reading.take_batches(), SizeIs(0));
}

TEST(LogReader, EntriesThatCameAreTakenWhereThereAreMoreElsewhere) {
  Reading reading = aws();
  std::string page = aws_answer("s-1", {std::string(kDone)});
  page.insert(page.size() - 1, R"(,"totalCount":2)");
  const auto outcome = reading.try_read(page);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->events_new, 1u);
  EXPECT_THAT(outcome->more_elsewhere, HasSubstr("totalCount"));
  EXPECT_THAT(reading.try_read(page)->more_elsewhere, HasSubstr("totalCount")) << "nothing new, and still not all";
}

// An entry that is not final is due at the session's last read: which a page is not.
TEST(LogReader, APageOfALogIsNotTheLastRead) {
  SourceSettings settings = source_of("veeam-aws", "aws-eu");
  settings.poll.changes = Changes::kFinal;
  Reading reading(settings, session());
  const std::string whole = aws_answer("s-1", {std::string(kRunning)});
  std::string page = whole;
  page.insert(page.size() - 1, R"(,"next":"/page/2")");
  EXPECT_EQ(reading.try_read(page, LastRead::kYes)->events(), 0u);
  EXPECT_EQ(reading.try_read(whole, LastRead::kYes)->events(), 1u);
}

// Twins among them, in reverse order of time: the ordinals must go on where the part before ended.
TEST(LogReader, AnswerWithMuchNewsIsReadInParts) {
  std::vector<std::string> entries;
  for (int i = 0; i < 1'600; ++i) {
    entries.push_back(fmt::format(
        R"({{"logTime":"2026-01-01T00:{:02}:{:02}","status":"Success","message":"step {} {}","executionStartTime":"2026-01-01T00:00:00"}})",
        59 - i / 60, 59 - i % 60, i / 400, std::string(2'000, 'x')));
  }
  const std::string answer = aws_answer("s-1", entries);
  const auto whole = aws().read(answer);

  SessionState fresh;
  fresh.key = aws().session().key;
  fresh.info = session();
  Reading reading(source_of("veeam-aws", "aws-eu"), fresh, {.events_per_read = 1});
  std::vector<std::string> parts;
  std::size_t reads = 0;
  for (bool more = true; more; ++reads) {
    const auto outcome = reading.try_read(answer);
    ASSERT_TRUE(outcome.has_value());
    more = outcome->more;
    const auto batches = reading.take_batches();
    ASSERT_THAT(batches, SizeIs(1));
    for (const std::string& line : lines_of(batches)) parts.push_back(without_created(line));
  }
  EXPECT_GE(reads, 3u);
  EXPECT_EQ(parts, whole);
}

TEST(LogReader, EntriesAreDeliveredWholeUpToTheLargestThereIsMemoryFor) {
  const std::string head = R"({"logTime":"2026-01-02T03:04:05","status":"Success","message":")";
  const std::size_t most = 2u << 20;
  const auto line_of_size = [&](std::size_t size, char filler) {
    SessionState fresh;
    fresh.key = aws().session().key;
    fresh.info = session();
    Reading reading(source_of("veeam-aws", "aws-eu"), fresh, {.largest_entry = most});
    const auto lines = reading.read(aws_answer("s-1", {head + std::string(size - head.size() - 2, filler) + "\"}"}));
    EXPECT_THAT(lines, SizeIs(1));
    return lines.empty() ? "{}" : lines[0];
  };
  for (const std::size_t size : {std::size_t{300} << 10, most}) {
    const std::string line = line_of_size(size, 'm');
    EXPECT_EQ(text_at(line, "/sessionlog/change"), "new");
    EXPECT_EQ(text_at(line, "/message").size(), size - head.size() - 2);
  }
  for (const std::size_t size : {most + 1, std::size_t{8} << 20}) {
    for (const char filler : {'m', '\xFF'}) {
      const std::string line = line_of_size(size, filler);
      EXPECT_EQ(text_at(line, "/event/kind"), "pipeline_error");
      EXPECT_THAT(text_at(line, "/error/message"), HasSubstr("larger than sink.commit_bytes"));
      EXPECT_TRUE(text_at(line, "/event/original").starts_with(head));
      EXPECT_LT(line.size(), 128u << 10);
    }
  }
}

// The AWS specification asks for no more of an entry. Below 1 MiB there is no permit for a large answer.
TEST(LogReader, SmallAnswerOfTheShortestEntriesIsRead) {
  std::vector<std::string> entries;
  for (int i = 0; i < 17'000; ++i) {
    entries.push_back(
        fmt::format(R"({{"logTime":"2026-01-01T00:{:02}:{:02}.{:06}","status":"Error"}})", i / 6'000, i / 100 % 60, i));
  }
  const std::string answer = aws_answer("s-1", entries);
  ASSERT_LT(answer.size(), kSmallBody);
  for (const std::size_t memory : {64u << 20, 512u << 20}) {
    SessionState fresh;
    fresh.key = aws().session().key;
    fresh.info = session();
    Reading reading(source_of("veeam-aws", "aws-eu"), fresh, MemoryShares::of(memory, 1, 16u << 20, 8u << 20));
    std::size_t events = 0;
    for (bool more = true; more;) {
      const auto outcome = reading.try_read(answer);
      ASSERT_TRUE(outcome.has_value()) << outcome.error().detail;
      events += outcome->events();
      more = outcome->more;
    }
    EXPECT_EQ(events, entries.size());
  }
}

TEST(LogReader, BytesThatAreNoUtf8AreReplacedAndCounted) {
  Reading reading = aws();
  const std::string bad = "{\"logTime\":\"2026-01-02T03:04:05\",\"status\":\"Success\",\"message\":\"a\xFF\xC3z\"}";
  const std::string answer = aws_answer("s-1", {std::string(kDone), bad});
  const auto outcome = reading.try_read(answer);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->not_utf8, 1u) << "the other event has none";
  const auto lines = lines_of(reading.take_batches());
  ASSERT_THAT(lines, SizeIs(2));
  EXPECT_EQ(text_at(lines[0], "/message"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
  EXPECT_EQ(reading.try_read(answer)->not_utf8, 0u) << "only what is emitted counts";
}

TEST(LogReader, NumbersBeyondSixtyFourBitsAreKeptToTheDigit) {
  for (const std::string_view number : {"9223372036854775808", "-9223372036854775809", "18446744073709551616",
                                        "123456789012345678901234567890.5e-999"}) {
    const std::string line = azure_line(fmt::format(
        R"({{"logTime":"2026-01-02T03:04:05","status":"Success","message":"m","resourceHashId":{0},"executionDuration":{0},"x":{0}}})",
        number));
    EXPECT_EQ(text_at(line, "/sessionlog/resource_id"), number);
    EXPECT_EQ(text_at(line, "/sessionlog/duration"), number);
    EXPECT_EQ(text_at(line, "/sessionlog/extra"), fmt::format(R"({{"x":{}}})", number));
  }
}

TEST(LogReader, EntryNestedHundredThousandDeepIsKept) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  const std::string line =
      aws_line(R"({"logTime":"2026-01-02T03:04:05","status":"Success","message":"m","x":)" + deep + "}");
  EXPECT_EQ(text_at(line, "/sessionlog/extra"), "{\"x\":" + deep + "}");
}

TEST(LogReader, OfBrokenJsonTheEntriesBeforeTheFaultAreTaken) {
  Reading reading = aws();
  std::string cut = aws_answer("s-1", {std::string(kDone), R"({"logTime":"2026-01-02T03:04:05","message":"half)"});
  cut.resize(cut.size() - 6);
  const auto outcome = reading.try_read(cut);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->events(), 1u);
  EXPECT_THAT(outcome->fault, HasSubstr("broken JSON"));
}

}  // namespace
}  // namespace sessionlogd::test
