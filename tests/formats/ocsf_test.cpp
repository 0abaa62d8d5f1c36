// Every kind of event is a valid one of OCSF 1.7.0, whatever it says.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sinks/formats/event_words.h"
#include "tests/formats/hostile_texts.h"
#include "tests/formats/ocsf_judge.h"
#include "tests/formats/support.h"
#include "tests/support/data_file.h"

namespace sessionlogd::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const OcsfJudge& judge() {
  static const OcsfJudge the_judge;
  return the_judge;
}

const Format& ocsf() { return format_named("ocsf"); }

std::string without_newline(std::string line) {
  line.pop_back();
  return line;
}

std::string line_of(const Event& event) { return without_newline(line_in(ocsf(), event)); }

std::string line_of(const Event& event, const SourceSettings& source) {
  std::string text;
  LineBuffer line(text);
  ocsf().encoder(source, SinkSettings{}, "host-1", "0.1.0")->append(event, line);
  line.flush();
  return without_newline(text);
}

TEST(Ocsf, EveryKindOfEventIsValid) {
  for (const EventKind kind : {EventKind::kNew, EventKind::kChanged, EventKind::kError, EventKind::kGap}) {
    for (const Event& event : {event_of(kind, 7, 11), bare_event_of(kind, 7, 11)}) {
      const std::string line = line_of(event);
      EXPECT_THAT(judge().complaints(line), IsEmpty()) << line;
    }
  }
}

TEST(Ocsf, WhateverTheTextsItIsValid) {
  for (const auto* texts : {&what_stands_whole(), &what_is_replaced()}) {
    for (const std::string& text : *texts) {
      SessionInfo session{.id = "session-7", .type = text, .name = text, .parent = text};
      Event event = event_of(EventKind::kChanged, 7, 11, text);
      event.session = &session;
      event.status = event.resource_id = event.duration = event.log_time = event.original = event.extra = text;
      for (const Outcome outcome : {Outcome::kUnknown, Outcome::kFailure}) {
        event.outcome = outcome;
        const std::string line = line_of(event);
        EXPECT_THAT(judge().complaints(line), IsEmpty()) << line.substr(0, 3'000);
      }
    }
  }
}

TEST(Ocsf, WhateverIsCutItIsValid) {
  Event event = event_of(EventKind::kNew, 7, 11, "é€😀 \\ \" \n \u2028");
  for (const Outcome outcome : {Outcome::kUnknown, Outcome::kSuccess}) {
    event.outcome = outcome;
    const std::string line = line_of(event);
    for (std::size_t limit = 64; limit < line.size(); ++limit) {
      const std::string cut = ocsf().cut(line, limit);
      ASSERT_THAT(judge().complaints(cut), IsEmpty()) << limit << ": " << cut;
      ASSERT_THAT(cut, HasSubstr(R"("metadata":{"is_truncated":true,)"));
      ASSERT_THAT(cut, HasSubstr(fmt::format(R"("unmapped":{{"truncated":"{}",)", line.size())));
    }
  }
}

TEST(Ocsf, AStatusThatIsNeitherGoodNorBadIsTheSourcesWord) {
  Event event = event_of(EventKind::kNew, 7, 11);
  const struct {
    Outcome outcome;
    std::string status, written;
  } cases[] = {
      {Outcome::kSuccess, "Warning", R"("status_id":1,"status":"Success","status_code":"Warning",)"},
      {Outcome::kFailure, "Failed", R"("status_id":2,"status":"Failure","status_code":"Failed",)"},
      {Outcome::kUnknown, "Canceled", R"("status_id":99,"status":"Canceled","status_code":"Canceled",)"},
      {Outcome::kUnknown, "", R"("status_id":0,"status":"Unknown","message")"},
  };
  for (const auto& c : cases) {
    event.outcome = c.outcome;
    event.status = c.status;
    EXPECT_THAT(line_of(event), HasSubstr(c.written));
  }
}

TEST(Ocsf, ALevelHasItsSeverity) {
  Event event = event_of(EventKind::kNew, 7, 11);
  const std::pair<Level, const char*> cases[] = {
      {Level::kInfo, R"("severity_id":1,"severity":"Informational")"},
      {Level::kNotice, R"("severity_id":2,"severity":"Low")"},
      {Level::kWarning, R"("severity_id":3,"severity":"Medium")"},
      {Level::kError, R"("severity_id":4,"severity":"High")"},
  };
  for (const auto& [level, written] : cases) {
    event.level = level;
    EXPECT_THAT(line_of(event), HasSubstr(written));
    EXPECT_THAT(judge().complaints(line_of(event)), IsEmpty());
  }
}

TEST(Ocsf, MillisecondsAreRoundedDown) {
  Event event = event_of(EventKind::kNew, 7, 11);
  event.timestamp = {-1, 999'999'999};
  event.start = Instant{-62'135'596'800, 1};
  event.end = Instant{0, 999'999};
  event.duration_ns = -1;
  const std::string line = line_of(event);
  EXPECT_THAT(line, HasSubstr(R"({"time":-1,"time_dt":"1969-12-31T23:59:59.999999999Z",)"));
  EXPECT_THAT(line, HasSubstr(R"("start_time":-62135596800000,"start_time_dt":"0001-01-01T00:00:00.000000001Z",)"));
  EXPECT_THAT(line, HasSubstr(R"("end_time":0,"end_time_dt":"1970-01-01T00:00:00.000999999Z","duration":-1,)"));
  EXPECT_THAT(judge().complaints(line), IsEmpty());
}

TEST(Ocsf, MillisecondsHaveTheDigitsThatTheyNeed) {
  const std::pair<Instant, std::string> cases[] = {
      {{999'999'999, 999'999'999}, "999999999999"},      {{1'000'000'000, 0}, "1000000000000"},
      {{1'600'000'000, 7'000'000}, "1600000000007"},     {{9'999'999'999, 999'000'000}, "9999999999999"},
      {{10'000'000'000, 0}, "10000000000000"},           {{0, 0}, "0"},
      {{253'402'300'799, 5'000'000}, "253402300799005"},
  };
  for (const auto& [at, written] : cases) {
    std::string text;
    append_milliseconds(text, at);
    EXPECT_EQ(text, written);
  }
}

TEST(Ocsf, AJobIsCalledAsIsKnown) {
  Event event = event_of(EventKind::kNew, 7, 11);
  const struct {
    SessionInfo session;
    std::string written;
  } cases[] = {
      {{.id = "s-1", .type = "Policy", .name = "nightly"}, R"("job":{"name":"nightly","desc":"Policy"})"},
      {{.id = "s-1", .type = "Policy"}, R"("job":{"name":"Policy","desc":"Policy"})"},
      {{.id = "s-1"}, R"("job":{"name":"s-1"})"},
  };
  for (const auto& c : cases) {
    event.session = &c.session;
    EXPECT_THAT(line_of(event), HasSubstr(c.written));
  }
}

TEST(Ocsf, AHostIsANameOrAnAddressOrBoth) {
  const Event event = event_of(EventKind::kNew, 7, 11);
  const std::pair<const char*, const char*> cases[] = {
      {"vb.example", R"("name":"renamed","hostname":"vb.example"})"},
      {"10.0.0.5", R"("name":"renamed","hostname":"10.0.0.5","ip":"10.0.0.5"})"},
      {"2001:db8::1", R"("name":"renamed","ip":"2001:db8::1"})"},
      {"", R"("name":"renamed"})"},
  };
  for (const auto& [host, written] : cases) {
    SourceSettings from = source();
    from.host = host;
    const std::string line = line_of(event, from);
    EXPECT_THAT(line, HasSubstr(written));
    EXPECT_THAT(judge().complaints(line), IsEmpty()) << line;
  }
}

TEST(Ocsf, ALabelIsATag) {
  const Event event = event_of(EventKind::kNew, 7, 11);
  SourceSettings from = source();
  from.labels = {{"empty", ""}, {"site", "fra1"}, {"team", "backup"}};
  const std::string line = line_of(event, from);
  EXPECT_THAT(line, HasSubstr(R"(,"tags":[{"name":"site","value":"fra1"},{"name":"team","value":"backup"}]})"));
  EXPECT_THAT(judge().complaints(line), IsEmpty());
  from.labels = {{"empty", ""}};
  EXPECT_THAT(line_of(event, from), Not(HasSubstr("tags")));
}

TEST(Ocsf, OfAnotherProviderIsNotOurs) {
  std::string line = line_of(event_of(EventKind::kNew, 7, 11));
  ASSERT_TRUE(ReadLine(ocsf(), line).event());
  const std::string_view name = R"("log_provider":"sessionlogd")";
  line.replace(line.find(name), name.size(), R"("log_provider":"another")");
  EXPECT_FALSE(ReadLine(ocsf(), line).event());
}

TEST(OcsfJudge, SeesWhatIsWrong) {
  const std::string seeds = read_data_file("formats/seeds.ocsf");
  const std::string line = seeds.substr(0, seeds.find('\n'));
  ASSERT_THAT(judge().complaints(line), IsEmpty());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string changed = line;
    return judge().complaints(changed.replace(changed.find(from), from.size(), to));
  };
  EXPECT_THAT(with(R"("message")", R"("massage")"), ElementsAre(": massage is no field"));
  EXPECT_THAT(with(R"("duration":609687)", R"("duration":"609687")"), ElementsAre("duration: is no \"integer\""));
  EXPECT_THAT(with(R"("name":"ubuntu16",)", ""), ElementsAre("job: name is missing"));
  EXPECT_THAT(with(R"("severity_id":1)", R"("severity_id":7)"), ElementsAre("severity_id: may not be 7"));
  EXPECT_THAT(with(R"("class_uid":1006)", R"("class_uid":1007)"), Contains("class_uid: is not 1006"));
  EXPECT_THAT(with(R"("ip":"10.0.0.5")", R"("ip":"vb.example")"), Contains(HasSubstr("device.ip: is not as ")));
  EXPECT_THAT(with(R"("tags":[{"name":"site","value":"fra1"}])", R"("tags":[{"name":"site"}])"),
              ElementsAre(HasSubstr("metadata.tags[0]: is none of ")));
  EXPECT_THAT(with(R"("time_dt":"2020)", R"("time_dt":"20)"), ElementsAre(HasSubstr("time_dt: is not as ")));
  EXPECT_THAT(with(R"("message")", R"("time":1,"message")"), ElementsAre("time: stands twice"));
  EXPECT_THAT(with(R"("severity":"Informational")", R"("severity":"Low")"),
              ElementsAre("severity_id: 1 is not called Low"));
  EXPECT_THAT(with(R"("end_time":1592680933849)", R"("end_time":1592680933850)"),
              ElementsAre("end_time_dt: its milliseconds are others"));
  EXPECT_THAT(with(R"("activity_id":99)", R"("activity_id":1)"),
              ElementsAre("type_uid is not class_uid * 100 + activity_id"));
  EXPECT_THAT(with(R"("kind":"event")", R"("kind":{"a":"b"})"), ElementsAre("unmapped.kind is no string"));
}

}  // namespace
}  // namespace sessionlogd::test
