#include "sinks/formats/ecs.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "sinks/file/output_line.h"

namespace sessionlogd {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string line_of(std::string_view message, std::string_view original, std::string_view extra) {
  return fmt::format(
      R"({{"@timestamp":"2026-11-21T20:41:12Z","message":"{}","ecs":{{"version":"8.11.0"}},"event":{{"id":"0123456789abcdef0123456789abcdef","hash":"01234567","original":"{}"}},"sessionlog":{{"record":"entry","source":"src","session_id":"s1","extra":"{}","change":"new"}}}})",
      message, original, extra);
}

bool is_event(const std::string& line) {
  const std::string padded = line + std::string(OutputLineReader::kPadding, ' ');
  return OutputLineReader().read(padded.data(), line.size()).has_value();
}

TEST(EcsCut, TakesWhatIsLeastMissedFirst) {
  const std::string line = line_of(std::string(100, 'm'), std::string(100, 'o'), std::string(100, 'e'));
  const std::string mark = fmt::format(R"("sessionlog":{{"truncated":{},)", line.size());
  ASSERT_TRUE(is_event(line));

  const std::string without_extra = kEcsFormat.cut(line, line.size() - 1);
  EXPECT_THAT(without_extra, Not(HasSubstr("extra")));
  EXPECT_THAT(without_extra, HasSubstr(std::string(100, 'o')));
  EXPECT_THAT(without_extra, HasSubstr(mark));

  const std::string part_of_original = kEcsFormat.cut(line, line.size() - 150);
  EXPECT_EQ(part_of_original.size(), line.size() - 150);
  EXPECT_THAT(part_of_original, HasSubstr(R"("original":"ooo)"));
  EXPECT_THAT(part_of_original, HasSubstr(std::string(100, 'm')));

  const std::string part_of_message = kEcsFormat.cut(line, line.size() - 250);
  EXPECT_EQ(part_of_message.size(), line.size() - 250);
  EXPECT_THAT(part_of_message, HasSubstr(R"("original":"")"));
  EXPECT_THAT(part_of_message, HasSubstr(R"("message":"mmm)"));
}

TEST(EcsCut, NeverTakesWhatIdentifies) {
  const std::string cut = kEcsFormat.cut(line_of(std::string(100, 'm'), "o", "e"), 10);
  EXPECT_TRUE(is_event(cut)) << cut;
  EXPECT_THAT(cut, HasSubstr(R"("message":"")"));
  EXPECT_THAT(cut, HasSubstr("0123456789abcdef0123456789abcdef"));
}

// Any field of an entry may be megabytes, and a line that no broker takes would be in the way of all others.
TEST(EcsCut, CutsWhateverAnEntryHolds) {
  const std::string large(4u << 20, 'x');
  std::string line = line_of("m", "o", "e");
  for (const std::string_view name : {"resource_id", "duration", "status", "log_time"})
    line.insert(line.find("\"change\""), fmt::format("\"{}\":\"{}\",", name, large));
  const std::string cut = kEcsFormat.cut(line, 1'000'000);
  EXPECT_TRUE(is_event(cut));
  EXPECT_LE(cut.size(), 1'000'000u);
  EXPECT_LT(cut.capacity(), 2'000'000u) << "what was cut is not kept";
}

// Characters of one to four bytes and escapes, cut at every length.
TEST(EcsCut, KeepsEveryLineValid) {
  std::string message;
  for (int i = 0; i < 5; ++i) message += R"(a\n\u0001é€😀\\\")";
  const std::string line = line_of(message, message, "{\\\"a\\\":1}");
  ASSERT_TRUE(is_event(line));
  for (std::size_t limit = 1; limit <= line.size() + 40; ++limit) {
    const std::string cut = kEcsFormat.cut(line, limit);
    ASSERT_TRUE(is_event(cut)) << limit << ": " << cut;
    ASSERT_LE(cut.size(), std::max<std::size_t>(limit, 330));
  }
}

}  // namespace
}  // namespace sessionlogd
