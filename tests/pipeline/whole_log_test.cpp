// A log as a whole: one that is read in parts, is cut, is a page, is of another session, or lacks what is known.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/pipeline/entries.h"

namespace sessionlogd::test {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

TEST(WholeLog, SaysWhenALogLacksWhatIsKnown) {
  const std::string a = step(10, "a"), b = step(20, "b");
  Reading reading = aws();
  reading.gap(GapKind::kGivenUp);
  const auto is_shrunk = [&](const std::string& response) { return reading.try_read(response)->shrunk; };
  EXPECT_FALSE(is_shrunk(aws_response("s-1", {a, b})));
  EXPECT_FALSE(is_shrunk(aws_response("s-1", {b, a})));
  EXPECT_TRUE(is_shrunk(aws_response("s-1", {a})));
  EXPECT_TRUE(is_shrunk(aws_response("s-1", {})));
  EXPECT_TRUE(is_shrunk(aws_response("s-1", {a, step(30, "c")})));
  std::string page = aws_response("s-1", {a});
  page.insert(page.size() - 1, R"(,"next":"/2")");
  EXPECT_FALSE(is_shrunk(page)) << "it may be elsewhere";
  std::string cut = aws_response("s-1", {a});
  cut.resize(cut.size() - 2);
  EXPECT_FALSE(is_shrunk(cut));
}

TEST(WholeLog, ResponseOfAnotherSessionIsRefused) {
  Reading reading = aws();
  const auto outcome = reading.try_read(aws_response("s-2", {std::string(kDone)}));
  ASSERT_TRUE(outcome.has_error());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kBadResponse);
  EXPECT_THAT(reading.take_batches(), SizeIs(0));
}

TEST(WholeLog, EntriesThatCameAreTakenWhereThereAreMoreElsewhere) {
  Reading reading = aws();
  std::string page = aws_response("s-1", {std::string(kDone)});
  page.insert(page.size() - 1, R"(,"totalCount":2)");
  const auto outcome = reading.try_read(page);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->events_new, 1u);
  EXPECT_THAT(outcome->more_elsewhere, HasSubstr("totalCount"));
  EXPECT_THAT(reading.try_read(page)->more_elsewhere, HasSubstr("totalCount")) << "nothing new, and still not all";
}

// An entry that is not final is due at the session's last read: which a page is not.
TEST(WholeLog, APageOfALogIsNotTheLastRead) {
  SourceSettings settings = source_of("veeam-aws", "aws-eu");
  settings.poll.changes = Changes::kFinal;
  Reading reading(settings, session());
  const std::string whole = aws_response("s-1", {std::string(kRunning)});
  std::string page = whole;
  page.insert(page.size() - 1, R"(,"next":"/page/2")");
  EXPECT_EQ(reading.try_read(page, LastRead::kYes)->events(), 0u);
  EXPECT_EQ(reading.try_read(whole, LastRead::kYes)->events(), 1u);
}

// Twins among them, in reverse order of time: the ordinals must go on where the part before ended.
TEST(WholeLog, ResponseWithMuchNewsIsReadInParts) {
  std::vector<std::string> entries;
  for (int i = 0; i < 1'600; ++i) {
    entries.push_back(fmt::format(
        R"({{"logTime":"2026-01-01T00:{:02}:{:02}","status":"Success","message":"step {} {}","executionStartTime":"2026-01-01T00:00:00"}})",
        59 - i / 60, 59 - i % 60, i / 400, std::string(2'000, 'x')));
  }
  const std::string response = aws_response("s-1", entries);
  const auto whole = aws().read(response);

  SessionState fresh;
  fresh.key = aws().session().key;
  fresh.info = session();
  Reading reading(source_of("veeam-aws", "aws-eu"), fresh, {.events_per_read = 1});
  std::vector<std::string> parts;
  std::size_t reads = 0;
  for (bool more = true; more; ++reads) {
    const auto outcome = reading.try_read(response);
    ASSERT_TRUE(outcome.has_value());
    more = outcome->more;
    const auto batches = reading.take_batches();
    ASSERT_THAT(batches, SizeIs(1));
    for (const std::string& line : lines_of(batches)) parts.push_back(without_created(line));
  }
  EXPECT_GE(reads, 3u);
  EXPECT_EQ(parts, whole);
}

TEST(WholeLog, EntriesAreDeliveredWholeUpToTheLargestThereIsMemoryFor) {
  const std::string head = R"({"logTime":"2026-01-02T03:04:05","status":"Success","message":")";
  const std::size_t most = 2u << 20;
  const auto line_of_size = [&](std::size_t size, char filler) {
    SessionState fresh;
    fresh.key = aws().session().key;
    fresh.info = session();
    Reading reading(source_of("veeam-aws", "aws-eu"), fresh, {.largest_entry = most});
    const auto lines = reading.read(aws_response("s-1", {head + std::string(size - head.size() - 2, filler) + "\"}"}));
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

// The AWS specification asks for no more of an entry. Below 1 MiB there is no permit for a large response.
TEST(WholeLog, SmallResponseOfTheShortestEntriesIsRead) {
  std::vector<std::string> entries;
  for (int i = 0; i < 17'000; ++i) {
    entries.push_back(
        fmt::format(R"({{"logTime":"2026-01-01T00:{:02}:{:02}.{:06}","status":"Error"}})", i / 6'000, i / 100 % 60, i));
  }
  const std::string response = aws_response("s-1", entries);
  ASSERT_LT(response.size(), kSmallBody);
  for (const std::size_t memory : {64u << 20, 512u << 20}) {
    SessionState fresh;
    fresh.key = aws().session().key;
    fresh.info = session();
    Reading reading(source_of("veeam-aws", "aws-eu"), fresh, MemoryShares::of(memory, 1, 16u << 20, 8u << 20));
    std::size_t events = 0;
    for (bool more = true; more;) {
      const auto outcome = reading.try_read(response);
      ASSERT_TRUE(outcome.has_value()) << outcome.error().detail;
      events += outcome->events();
      more = outcome->more;
    }
    EXPECT_EQ(events, entries.size());
  }
}

TEST(WholeLog, OfBrokenJsonTheEntriesBeforeTheFaultAreTaken) {
  Reading reading = aws();
  std::string cut = aws_response("s-1", {std::string(kDone), R"({"logTime":"2026-01-02T03:04:05","message":"half)"});
  cut.resize(cut.size() - 6);
  const auto outcome = reading.try_read(cut);
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(outcome->events(), 1u);
  EXPECT_THAT(outcome->fault, HasSubstr("broken JSON"));
}

}  // namespace
}  // namespace sessionlogd::test
