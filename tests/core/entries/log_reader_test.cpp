#include "core/entries/log_reader.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "tests/core/entries/log_text.h"

namespace sessionlogd {
namespace {

// Writes the message of each event, and keeps the keys.
class FakeEncoder : public Encoder {
 public:
  void append(const Event& event, LineBuffer& out) override {
    out += event.message;
    out += '\n';
    keys.push_back(event.entry_key);
    messages.emplace_back(event.message);
  }
  std::vector<std::uint64_t> keys;
  std::vector<std::string> messages;
};

// A twin that is emitted first must be ordinal 0 even if it stands second in the response: only then is it known after
// a crash that cut the output off behind it.
TEST(LogReader, NumbersTwinsInTheOrderOfTheOutput) {
  constexpr std::string_view kResponse = R"({"log":[
    {"logTime":"2020-06-20T19:12:09","status":"Success","message":"a","executionStartTime":"2020-06-20T19:12:00"},
    {"logTime":"2020-06-20T19:12:05","status":"Success","message":"b"},
    {"logTime":"2020-06-20T19:12:01","status":"Success","message":"a","executionStartTime":"2020-06-20T19:12:00"}]})";
  FakeEncoder encoder;
  BatchQueue queue{1 << 20};
  const SourceFormat format{
      .source_id = "s", .dialect = &test::aws(), .zone = ZoneRules({}), .encoder = &encoder, .queue = &queue};
  Body body;
  body.append(kResponse);
  LogReader reader;
  SessionState session;
  session.key = test::kSessionKey;
  session.info = SessionInfo{.id = "s1"};
  EXPECT_EQ(reader.read(format, session, body, false).value().events_new, 3u);
  ASSERT_EQ(encoder.keys.size(), 3u);
  EXPECT_EQ(encoder.keys[2], twin_key(encoder.keys[0], 1, session.key));

  // Only the first line survived: the two others are emitted, under the keys they had; the second time although they
  // are known by their bytes.
  const std::vector<std::uint64_t> keys = std::move(encoder.keys);
  const std::uint32_t hash = session.history.hash(0);
  for (int time = 0; time < 2; ++time) {
    encoder.keys.clear();
    encoder.messages.clear();
    session.history = SessionHistory();
    session.history.append(keys[0], hash, 0);
    EXPECT_EQ(reader.read(format, session, body, false).value().events_new, 2u);
    EXPECT_EQ(encoder.keys, (std::vector<std::uint64_t>{keys[1], keys[2]}));
    EXPECT_EQ(encoder.messages, (std::vector<std::string>{"b", "a"}));
  }
}

TEST(LogReader, TellsHowOldNewEntriesAreTheOldestFirst) {
  using namespace std::chrono_literals;
  FakeEncoder encoder;
  BatchQueue queue{1 << 20};
  const SourceFormat format{
      .source_id = "s", .dialect = &test::aws(), .zone = ZoneRules({}), .encoder = &encoder, .queue = &queue};
  LogReader reader;
  SessionState session;
  session.key = test::kSessionKey;
  session.info = SessionInfo{.id = "s1"};
  const auto read = [&](const std::string& entries) {
    Body body;
    body.append(R"({"log":[)" + entries + "]}");
    return reader.read(format, session, body, false).has_value();
  };
  const std::string first = R"({"logTime":"1970-01-01T00:00:05","status":"Success","message":"a"})";
  const std::string ran =
      R"({"logTime":"1970-01-01T00:00:08","executionStartTime":"1970-01-01T00:00:02","message":"b"})";
  const std::string later = R"({"logTime":"1970-01-01T00:00:09","status":"Success","message":"c"})";
  ASSERT_TRUE(read(first + "," + ran));
  EXPECT_THAT(reader.ages({10, 500'000'000}), testing::ElementsAre(8'500ms, 5'500ms)) << "one came when it began";
  EXPECT_THAT(reader.ages({10, 0}), testing::ElementsAre(8s, 5s));
  ASSERT_TRUE(read(first + "," + ran + "," + later));
  EXPECT_THAT(reader.ages({8, 0}), testing::ElementsAre(-1s)) << "what is known is not new; clocks differ";

  const std::string large = std::string(2u << 20, 'x');
  ASSERT_TRUE(read(R"({"logTime":"1970-01-01T00:00:10","status":"Success","message":")" + large + R"("})"));
  EXPECT_THAT(reader.ages({12, 0}), testing::ElementsAre(2s)) << "a large response is forgotten, its ages are not";
}

// What a done session's log is compared with: its fingerprints, or their sum.
TEST(LogReader, ComparesTheLogOfADoneSessionAndEmitsNothing) {
  const auto log_of = [](std::string_view entries) { return R"({"log":[)" + std::string(entries) + "]}"; };
  constexpr std::string_view kA = R"({"logTime":"2020-06-20T19:12:03","status":"Success","message":"a"})";
  constexpr std::string_view kB = R"({"logTime":"2020-06-20T19:12:05","status":"Success","message":"b"})";
  constexpr std::string_view kAlsoB = R"({"logTime":"2020-06-20T19:12:05","status":"Warning","message":"b"})";
  constexpr std::string_view kC = R"({"logTime":"2020-06-20T19:12:04","status":"Success","message":"c"})";
  const std::string a(kA), b(kB), delivered = a + "," + b;
  struct Row {
    std::string log;
    std::size_t missing, missing_by_sum;
    bool shrunk, shrunk_by_sum;
    bool is_unknown_by_sum;
  };
  const Row rows[] = {
      {log_of(delivered), 0, 0, false, false, false},
      {log_of(b + "," + a), 0, 0, false, false, false},
      {log_of(delivered + "," + std::string(kC)), 1, 1, false, false, false},
      {log_of(std::string(kC) + "," + delivered), 1, 0, false, false, true},  // behind neither in order nor by time
      {log_of(delivered + "," + b), 1, 1, false, false, false},               // a twin
      {log_of(a + "," + std::string(kAlsoB)), 1, 0, false, false, true},
      {log_of(a), 0, 0, true, false, true},
      {log_of(""), 0, 0, true, true, false},
      {log_of(std::string(kC)), 1, 0, true, false, true},
  };
  FakeEncoder encoder;
  BatchQueue queue{1 << 20};
  const SourceFormat format{
      .source_id = "s", .dialect = &test::aws(), .zone = ZoneRules({}), .encoder = &encoder, .queue = &queue};
  LogReader reader;
  const auto body_of = [](std::string_view text) {
    Body body;
    body.append(text);
    return body;
  };
  SessionState session;
  session.key = test::kSessionKey;
  session.info = SessionInfo{.id = "s1"};
  ASSERT_TRUE(reader.read(format, session, body_of(log_of(delivered)), true).has_value());
  // Once with a gap that was said of it: no log holds that.
  for (const bool has_gap : {false, true}) {
    if (has_gap) reader.gap(format, session, GapKind::kMayBeMissing, "why");
    SessionState done, summed;
    done.key = summed.key = session.key;
    done.info = summed.info = SessionInfo{.id = "s1"};
    done.history = SessionHistory::of(session.history.fingerprints());
    summed.delivered_sum = session.history.sum();
    summed.only_after = Instant{1, 0};
    const std::size_t bytes = queue.bytes(), events = encoder.keys.size();
    for (const Row& row : rows) {
      SCOPED_TRACE(row.log);
      const auto compared = reader.compare(format, done, body_of(row.log));
      ASSERT_TRUE(compared.has_value());
      EXPECT_EQ(compared->missing, row.missing);
      EXPECT_EQ(compared->shrunk, row.shrunk);
      EXPECT_EQ(compared->unknown, "");
      const auto by_sum = reader.compare(format, summed, body_of(row.log));
      ASSERT_TRUE(by_sum.has_value());
      EXPECT_EQ(by_sum->missing, has_gap ? 0 : row.missing_by_sum);
      EXPECT_EQ(by_sum->shrunk, row.shrunk_by_sum);
      EXPECT_EQ(!by_sum->unknown.empty(), row.is_unknown_by_sum || (has_gap && row.missing_by_sum > 0));
    }
    EXPECT_EQ(queue.bytes(), bytes);
    EXPECT_EQ(encoder.keys.size(), events);
    EXPECT_TRUE(reader.compare(format, done, body_of("<html>")).has_error());
  }
}

// Of a session that stopped at 19:12:05.
// Two entries, and more behind them, in times that are `hours` later than they were.
Body shifted_log(int hours, std::string_view first = "a", int more = 0) {
  std::string text = R"({"log":[)";
  const auto add = [&](std::string_view message, int minute) {
    text += fmt::format(R"({}{{"logTime":"2020-06-20T{:02}:{:02}:09","status":"Success","message":"{}",)"
                        R"("executionStartTime":"2020-06-20T{:02}:{:02}:00"}})",
                        text.ends_with('[') ? "" : ",", 12 + hours, minute, message, 12 + hours, minute);
  };
  add(first, 1);
  add("b", 2);
  for (int i = 0; i < more; ++i) add("later", 3 + i);
  Body body;
  body.append(text + "]}");
  return body;
}

constexpr TimeShift hours_later(int hours) { return {static_cast<std::int8_t>(4 * hours)}; }

struct ShiftedLog : ::testing::Test {
  ShiftedLog() {
    session.key = test::kSessionKey;
    session.info = SessionInfo{.id = "s1"};
    EXPECT_EQ(reader.read(format, session, shifted_log(0), false).value().events_new, 2u);
  }
  std::size_t events_of(const Body& body) { return reader.read(format, session, body, false).value().events(); }

  FakeEncoder encoder;
  BatchQueue queue{1 << 20};
  const SourceFormat format{
      .source_id = "s", .dialect = &test::aws(), .zone = ZoneRules({}), .encoder = &encoder, .queue = &queue};
  LogReader reader;
  SessionState session;
};

TEST_F(ShiftedLog, IsToldByItsEntries) {
  SessionState summed;
  summed.key = session.key;
  summed.info = SessionInfo{.id = "s1"};
  summed.delivered_sum = session.history.sum();
  summed.only_after = Instant{1, 0};
  for (const SessionState* known : {&std::as_const(session), &std::as_const(summed)}) {
    SCOPED_TRACE(known == &summed ? "by its sum" : "by its entries");
    EXPECT_TRUE(reader.is_shifted(format, *known, shifted_log(1), hours_later(1)));
    EXPECT_TRUE(reader.is_shifted(format, *known, shifted_log(1, "a", 5), hours_later(1)));
    EXPECT_FALSE(reader.is_shifted(format, *known, shifted_log(1), hours_later(2)));
    EXPECT_FALSE(reader.is_shifted(format, *known, shifted_log(0), hours_later(1))) << "it is as it was";
    EXPECT_FALSE(reader.is_shifted(format, *known, shifted_log(1, "c"), hours_later(1))) << "one entry may be chance";
    Body empty;
    empty.append(R"({"log":[]})");
    EXPECT_FALSE(reader.is_shifted(format, *known, empty, hours_later(1)));
  }
}

TEST_F(ShiftedLog, HasTheKeysThatItHadThereAndBack) {
  session.shift = hours_later(1);
  EXPECT_EQ(events_of(shifted_log(1)), 0u);
  EXPECT_EQ(events_of(shifted_log(1, "a", 1)), 1u);
  EXPECT_EQ(events_of(shifted_log(1, "a", 1)), 0u);
  session.shift = {};
  EXPECT_EQ(events_of(shifted_log(0, "a", 1)), 0u);
  EXPECT_EQ(events_of(shifted_log(1, "a", 1)), 3u) << "though their bytes were known when they were read shifted";
}

TEST(LogReader, LeavesWhatMayBeAnotherSessionsLog) {
  constexpr std::string_view kOwn = R"({"log":[{"logTime":"2020-06-20T19:12:03","status":"Success","message":"a"}]})";
  constexpr std::string_view kLater = R"({"log":[{"logTime":"2020-06-20T20:00:00","status":"Success","message":"b"}]})";
  constexpr std::string_view kLaterAndBad =
      R"({"log":[{"status":"Success"},{"logTime":"2020-06-20T20:00:00","status":"Success","message":"b"}]})";
  struct Row {
    std::string_view response;
    Strange strange;
    std::string_view status;
    bool is_left;
  };
  for (const Row& row :
       {Row{kOwn, Strange::kLeave, "Succeeded", false}, Row{kLater, Strange::kLeave, "Succeeded", true},
        Row{kLaterAndBad, Strange::kLeave, "Succeeded", true}, Row{kLater, Strange::kTake, "Succeeded", false},
        Row{kLater, Strange::kLeave, "Running", false}, Row{kLater, Strange::kOnlyOwn, "Running", true},
        Row{kOwn, Strange::kOnlyOwn, "Succeeded", true}}) {
    FakeEncoder encoder;
    BatchQueue queue{1 << 20};
    const SourceFormat format{
        .source_id = "s", .dialect = &test::aws(), .zone = ZoneRules({}), .encoder = &encoder, .queue = &queue};
    Body body;
    body.append(row.response);
    LogReader reader;
    SessionState session;
    session.key = test::kSessionKey;
    session.info = SessionInfo{.id = "s1", .status = row.status, .stop = Instant{1'592'680'325, 0}};
    const ReadOutcome outcome = reader.read(format, session, body, false, row.strange).value();
    EXPECT_EQ(outcome.strange, row.is_left) << row.response << " " << row.status;
    EXPECT_EQ(encoder.keys.empty(), row.is_left) << row.response << " " << row.status;
  }
}

}  // namespace
}  // namespace sessionlogd
