// Every kind of event is a document of ECS 8.11, and a line that recovery believes.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/base/json_text.h"
#include "sinks/file/output_line.h"
#include "tests/pipeline/ecs_judge.h"
#include "tests/pipeline/reading.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const EcsJudge& judge() {
  static const EcsJudge the_judge;
  return the_judge;
}

bool believed(std::string line) {
  const std::size_t size = line.size();
  line.append(OutputLineReader::kPadding, '\0');
  return OutputLineReader().read(line.data(), size).has_value();
}

void expect_well(const std::vector<Batch>& batches, std::size_t events) {
  const auto lines = lines_of(batches);
  EXPECT_THAT(lines, SizeIs(events));
  for (const std::string& line : lines) {
    EXPECT_THAT(judge().complaints(line), IsEmpty()) << line;
    EXPECT_TRUE(believed(line)) << line;
  }
}

struct Product {
  std::string dialect;
  std::string (*response)(std::string_view, const std::vector<std::string>&);
};
const Product kProducts[] = {{"veeam-aws", aws_response}, {"veeam-azure", azure_response}};

SourceSettings bare(const Product& product) { return source_of(product.dialect, "plain"); }

SourceSettings full(const Product& product) {
  SourceSettings settings = source_of(product.dialect, "renamed");
  settings.id = "first-name";
  settings.keep_original = true;
  settings.labels = {{"site", "fra1"}, {"team.name", "backup"}};
  return settings;
}

SessionInfo bare_session() {
  SessionInfo info;
  info.id = "s-1";
  return info;
}

SessionInfo full_session() {
  SessionInfo info = bare_session();
  info.type = "Policy";
  info.name = "nightly";
  info.parent = "s-0";
  info.status = "Running";
  return info;
}

TEST(Ecs, EventsWithEveryField) {
  for (const Product& product : kProducts) {
    Reading reading(full(product), full_session());
    std::string entry =
        R"({"logTime":"2026-01-02T03:04:05.123456789Z","status":"Running","message":"m","executionStartTime":"2026-01-02T03:04:05Z","executionDuration":"00:00:02","resourceHashId":"r","more":{"a":1}})";
    ASSERT_TRUE(reading.try_read(product.response("s-1", {entry})).has_value());
    expect_well(reading.take_batches(), 1);
    entry.replace(entry.find("Running"), 7, "Failed");
    ASSERT_TRUE(reading.try_read(product.response("s-1", {entry})).has_value());
    expect_well(reading.take_batches(), 1);
    ASSERT_TRUE(reading.try_read(product.response("s-1", {R"({"logTime":7})", "8"})).has_value());
    expect_well(reading.take_batches(), 2);
  }
}

TEST(Ecs, EventsWithTheFewestFields) {
  for (const Product& product : kProducts) {
    Reading reading(bare(product), bare_session());
    ASSERT_TRUE(reading.try_read(product.response("s-1", {R"({"logTime":"2026-01-02T03:04:05"})", "{}"})).has_value());
    expect_well(reading.take_batches(), 2);
  }
}

TEST(Ecs, EveryStatusWord) {
  for (const Product& product : kProducts) {
    Reading reading(bare(product), bare_session());
    std::vector<std::string> entries;
    for (const StatusWord& word : reading.settings().dialect->statuses) {
      entries.push_back(
          fmt::format(R"({{"logTime":"2026-01-02T03:04:05","message":"{0}","status":"{0}"}})", word.word));
    }
    entries.push_back(R"({"logTime":"2026-01-02T03:04:05","status":"NeverHeardOf"})");
    ASSERT_TRUE(reading.try_read(product.response("s-1", entries)).has_value());
    expect_well(reading.take_batches(), entries.size());
  }
}

std::string line_of(const Event& event, EcsEncoder& encoder) {
  std::string text;
  LineBuffer line(text);
  encoder.append(event, line);
  line.flush();
  return text;
}

TEST(Ecs, ALineDoesNotDependOnThoseBefore) {
  std::mt19937_64 random(random_seed());
  const SourceSettings settings = full(kProducts[0]);
  const SessionInfo session = full_session();
  const auto any_time = [&] { return Instant{static_cast<std::int64_t>(random() % 3), random() % 2 == 0 ? 0u : 500u}; };
  const auto any_or_none = [&] { return random() % 3 == 0 ? std::nullopt : std::optional(any_time()); };
  EcsEncoder used(settings, "host-1", "0.1.0");
  for (int i = 0; i < 2'000; ++i) {
    Event event;
    event.session = &session;
    event.timestamp = any_time();
    event.created = any_time();
    event.start = any_or_none();
    event.end = any_or_none();
    const std::string message(random() % 50 == 0 ? 10'000 : random() % 20, '"');
    event.has_message = true;
    event.message = message;
    EcsEncoder fresh(settings, "host-1", "0.1.0");
    ASSERT_EQ(line_of(event, used), line_of(event, fresh));
  }
}

// A JSON value made of what is most likely to be mishandled.
class AnyJson {
 public:
  explicit AnyJson(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  std::string string() {
    static const std::vector<std::string> kPieces = {
        "a",    "Z",    " ",      R"(\n)",  R"(\")", R"(\\)", R"(\u0000)", R"(\ud800)", R"(\udfff)", R"(\ud83d\ude00)",
        "\xff", "\xc3", "\u00e9", "\u2028", "/",     "<",     "{",         "}",         ":"};
    std::string token = "\"";
    for (std::size_t i = below(8); i > 0; --i) token += kPieces[below(kPieces.size())];
    return token + "\"";
  }

  std::string value(int depth = 0) {
    switch (below(depth < 3 ? 8 : 6)) {
      case 0:
        return "null";
      case 1:
        return "true";
      case 2:
        return "-12345678901234567890123456789.5e-7";
      case 3:
        return std::to_string(below(1000));
      case 6:
        return "[" + value(depth + 1) + "," + value(depth + 1) + "]";
      case 7:
        return "{" + string() + ":" + value(depth + 1) + "}";
      default:
        return string();
    }
  }

  // Mostly what belongs there, sometimes anything.
  std::string time() {
    static const std::vector<std::string> kTimes = {
        "2026-01-02T03:04:05",  "2026-01-02T03:04:05.1234567Z", "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999999Z",
        "0000-01-01T00:00:00Z", "2026-12-31T23:59:60+23:59",    "2024-02-29t12:00:00z"};
    return below(8) == 0 ? value() : "\"" + kTimes[below(kTimes.size())] + "\"";
  }

  std::string span() {
    static const std::vector<std::string> kSpans = {R"("00:02:33.8496840")",
                                                    R"("-1.02:03:04")",
                                                    "687",
                                                    "-1",
                                                    "1e3",
                                                    R"("10675199.02:48:05.4775807")",
                                                    R"("99999999.23:59:59")",
                                                    "9223372036854775807",
                                                    R"("2562047788015215")"};
    return below(8) == 0 ? value() : kSpans[below(kSpans.size())];
  }

  std::string entry() {
    if (below(20) == 0) return value();
    std::string text = "{" + string() + ":" + value();
    if (below(8) != 0) text += R"(,"logTime":)" + time();
    if (below(4) != 0) text += R"(,"executionStartTime":)" + time();
    if (below(4) != 0) text += R"(,"executionDuration":)" + span();
    if (below(4) != 0) text += R"(,"message":)" + (below(8) == 0 ? value() : string());
    if (below(4) != 0) text += R"(,"status":)" + (below(2) == 0 ? value() : std::string(R"("Running")"));
    if (below(4) == 0) text += R"(,"resourceHashId":)" + value();
    return text + "}";
  }

 private:
  std::mt19937_64 random_;
};

TEST(Ecs, RandomEntries) {
  AnyJson any(random_seed());
  for (int round = 0; round < 400; ++round) {
    const Product& product = kProducts[round % 2];
    Reading reading(any.below(2) == 0 ? bare(product) : full(product),
                    any.below(2) == 0 ? bare_session() : full_session());
    std::vector<std::string> entries;
    for (std::size_t i = 0; i < 20; ++i) entries.push_back(any.entry());
    const std::string response = product.response("s-1", entries);
    const auto first = reading.try_read(response);
    ASSERT_TRUE(first.has_value()) << response;
    EXPECT_EQ(first->entries, entries.size()) << response;
    EXPECT_EQ(first->events(), entries.size()) << response;
    expect_well(reading.take_batches(), entries.size());

    const auto again = reading.try_read(response);
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->events(), 0u) << response;
  }
}

TEST(EcsJudge, SeesWhatIsWrong) {
  Reading reading(full(kProducts[0]), full_session());
  ASSERT_TRUE(
      reading.try_read(aws_response("s-1", {R"({"logTime":"2026-01-02T03:04:05","message":"m"})"})).has_value());
  const std::string line = lines_of(reading.take_batches()).at(0);
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = line;
    return judge().complaints(changed.replace(changed.find(from), from.size(), to));
  };
  EXPECT_THAT(with("\"message\"", "\"massage\""), ElementsAre("massage is no field of ECS"));
  EXPECT_THAT(with("\"kind\":\"event\"", "\"kind\":\"entry\""), ElementsAre("event.kind may not be entry"));
  EXPECT_THAT(with("03:04:05Z", "03:04:05"), ElementsAre("@timestamp is no date"));
  EXPECT_THAT(with("\"change\"", "\"chance\""),
              ElementsAre("sessionlog.chance is no field of ECS", "sessionlog.change is missing"));
  EXPECT_THAT(with("\"message\":\"m\"", "\"message\":{\"a\":1}"), ElementsAre("message.a is no field of ECS"));
  EXPECT_THAT(with("\"site\":\"fra1\"", "\"site\":1"), ElementsAre("labels.site is no string"));
  EXPECT_THAT(with("\"outcome\":\"unknown\"", "\"outcome\":\"unknown\",\"duration\":\"5\""),
              ElementsAre("event.duration is no long"));
}

}  // namespace
}  // namespace sessionlogd::test
