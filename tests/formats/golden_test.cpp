// Lines that were written by hand from what each format promises: the encoders write the same bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/formats/support.h"
#include "tests/support/built_in.h"
#include "tests/support/data_file.h"

namespace sessionlogd::test {
namespace {

constexpr Instant kCreated{1'795'293'672, 123'456'000};
constexpr std::uint64_t kAwsSession = 0xc1d0b22a5d702542;

// An event and all that it points to.
struct Golden {
  SourceSettings source;
  SessionInfo session;
  Event event;
};

Golden aws() {
  Golden golden;
  golden.source.id = golden.source.name = "aws-eu";
  golden.source.dialect = built_in_dialect("veeam-aws");
  golden.source.host = "10.0.0.5";
  golden.source.api_version = "1.6-rev0";
  golden.session.id = "90faa259-fbf6-493a-b492-e59e1cfbe3a6";
  golden.event.session_key = kAwsSession;
  golden.event.entry_key = 0x9f32b17e5c45f946;
  golden.event.timestamp = {1'592'680'933, 849'335'000};
  golden.event.log_time = "2020-06-20T19:22:13.849335";
  golden.event.created = kCreated;
  golden.event.has_message = true;
  return golden;
}

Golden aws_seed() {
  Golden golden = aws();
  golden.source.labels = {{"site", "fra1"}};
  golden.session.type = "FLRTask";
  golden.session.name = "ubuntu16";
  Event& event = golden.event;
  event.hash = 0x3ffb040b;
  event.start = Instant{1'592'680'324, 161'597'000};
  event.end = event.timestamp;
  event.duration_ns = 609'687'738'000;
  event.duration = "687";
  event.status = "Success";
  event.outcome = Outcome::kSuccess;
  event.message = "Processing ubuntu16.";
  return golden;
}

Golden azure_seed() {
  Golden golden;
  golden.source.id = golden.source.name = "azure-uk";
  golden.source.dialect = built_in_dialect("veeam-azure");
  golden.source.host = "10.0.0.5";
  golden.source.api_version = "v8";
  golden.session.id = "38";
  golden.session.type = "Backup";
  Event& event = golden.event;
  event.session_key = 0x659200b3de130462;
  event.entry_key = 0xe8b012fe9e5e1f37;
  event.hash = 0xa45b1e12;
  event.timestamp = {1'580'899'893, 641'329'000};
  event.log_time = "2020-02-05T10:51:33.641329Z";
  event.created = kCreated;
  event.start = Instant{1'580'899'893, 646'789'000};
  event.end = Instant{1'580'899'895, 93'675'000};
  event.duration_ns = 1'446'886'000;
  event.duration = "00:00:01.4468860";
  event.status = "Success";
  event.outcome = Outcome::kSuccess;
  event.has_message = true;
  event.message = "Snapshot retention of 'tw-vm2' has finished: removed 1 restore point (127 GB).";
  return golden;
}

Golden gap() {
  Golden golden = aws();
  golden.source.id = "first-name";
  golden.source.host = "vb-aws.example";
  Event& event = golden.event;
  event.kind = EventKind::kGap;
  event.entry_key = 0xffffffffffffffff;
  event.timestamp = kCreated;
  event.log_time = {};
  event.level = Level::kError;
  event.has_message = false;
  event.fault = "the session is gone, its last 3 reads failed";
  return golden;
}

// Each escape of CEF there is.
Golden hostile_in_cef() {
  Golden golden = aws();
  Dialect dialect = *golden.source.dialect;
  dialect.vendor = "Veeam|x";
  dialect.product = "Backup \\ AWS";
  golden.source.dialect = std::make_shared<const Dialect>(std::move(dialect));
  golden.session.type = "Policy";
  Event& event = golden.event;
  event.hash = 0x00c0ffee;
  event.level = Level::kError;
  event.outcome = Outcome::kFailure;
  event.status = "Failed";
  event.message = "a|b c\\d e=f g\\=h\nline 2\rline 3\ttab \x01 slHash=deadbeef CEF:0|x Größe 日本 C:\\dir\\new end";
  return golden;
}

// Each escape of RFC 5424 there is.
Golden hostile_in_rfc5424() {
  Golden golden = aws();
  golden.source.host = "vb-aws.example";
  golden.session.id = "a b\"c]d\\e=f";
  golden.session.type = "Policy";
  golden.session.name = "Größe ] \" \\ x";
  Event& event = golden.event;
  event.kind = EventKind::kChanged;
  event.hash = 0x00c0ffee;
  event.timestamp.nanos = 123'456'789;
  event.log_time = "2020-06-20T19:22:13.123456789";
  event.level = Level::kError;
  event.outcome = Outcome::kFailure;
  event.status = "Failed";
  event.message = "a\"b ]c \\d line 1\nline 2 Größe 日本 <13>1 [x y=\"z\"]";
  return golden;
}

std::string line_of(Golden golden, const Format& format) {
  golden.event.session = &golden.session;
  std::string text;
  LineBuffer line(text);
  format.encoder(golden.source, SinkSettings{}, "host-1", "0.1.0")->append(golden.event, line);
  line.flush();
  return text;
}

TEST(Golden, TheSeedsInCef) {
  const Format& format = format_named("cef");
  EXPECT_EQ(line_of(aws_seed(), format) + line_of(azure_seed(), format) + line_of(gap(), format),
            read_data_file("formats/seeds.cef"));
}

TEST(Golden, HostileTextInCef) {
  EXPECT_EQ(line_of(hostile_in_cef(), format_named("cef")), read_data_file("formats/hostile.cef"));
}

TEST(Golden, TheSeedsInRfc5424) {
  const Format& format = format_named("rfc5424");
  EXPECT_EQ(line_of(aws_seed(), format) + line_of(azure_seed(), format) + line_of(gap(), format),
            read_data_file("formats/seeds.rfc5424"));
}

TEST(Golden, HostileTextInRfc5424) {
  EXPECT_EQ(line_of(hostile_in_rfc5424(), format_named("rfc5424")), read_data_file("formats/hostile.rfc5424"));
}

TEST(Golden, TheSeedsInOtlp) {
  const Format& format = format_named("otlp");
  EXPECT_EQ(line_of(aws_seed(), format) + line_of(azure_seed(), format) + line_of(gap(), format),
            read_data_file("formats/seeds.otlp"));
}

TEST(Golden, TheSeedsInOcsf) {
  const Format& format = format_named("ocsf");
  EXPECT_EQ(line_of(aws_seed(), format) + line_of(azure_seed(), format) + line_of(gap(), format),
            read_data_file("formats/seeds.ocsf"));
}

TEST(Golden, AnotherFacilityIsInThePriority) {
  Golden golden = aws_seed();
  golden.event.session = &golden.session;
  SinkSettings sink;
  sink.facility = 3;
  std::string text;
  LineBuffer line(text);
  format_named("rfc5424").encoder(golden.source, sink, "host-1", "0.1.0")->append(golden.event, line);
  line.flush();
  EXPECT_THAT(text, testing::StartsWith("<30>1 2020-06-20T19:22:13.849335Z "));
}

// What cannot stand in the header is a "-" there.
TEST(Golden, AHostThatIsNoneOfRfc5424) {
  for (const char* host : {"", "a b", "größe", "a\x7f"}) {
    Golden golden = aws_seed();
    golden.source.host = host;
    EXPECT_THAT(line_of(golden, format_named("rfc5424")), testing::HasSubstr("849335Z - sessionlogd - entry ["));
  }
}

// Some parsers drop a line of CEF with an empty field in its header.
TEST(Golden, AnEmptyFieldOfTheHeaderOfCef) {
  Golden golden = aws_seed();
  golden.source.api_version.clear();
  EXPECT_THAT(line_of(golden, format_named("cef")), testing::StartsWith("CEF:0|Veeam|Backup for AWS|-|entry|"));
}

}  // namespace
}  // namespace sessionlogd::test
