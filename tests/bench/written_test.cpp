#include "bench/fleet/written.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>
#include <stdexcept>
#include <vector>

#include "bench/fleet/json_text.h"
#include "bench/fleet/owed.h"
#include "tests/support/data_file.h"

namespace fleet {
namespace {

using sessionlogd::test::read_data_file;

constexpr const char* kNames[] = {"ocsf", "otlp", "cef", "rfc5424"};  // ECS has seeds of its own

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> seeds(const std::string& format) {
  return lines_of(read_data_file("formats/seeds." + format));
}

// All that it says, times as a reader of CEF has them.
std::string facts_of(const std::optional<Written>& written) {
  if (!written) return "nothing";
  const Written& w = *written;
  return fmt::format("{} {} {} {:08x} {} [{}] [{}] [{}]", w.source, w.session, w.id, w.hash, w.change, w.message,
                     w.original, spelling_of(kCefLines, w.status, w.resource, w.log_time, w.start, w.duration));
}

TEST(Written, IsTheSameInEveryFormat) {
  const std::vector<std::string> facts = {
      facts_of(kCefLines.read(seeds("cef").at(0))),
      facts_of(kCefLines.read(seeds("cef").at(1))),
      facts_of(kCefLines.read(seeds("cef").at(2))),
  };
  EXPECT_EQ(facts[0],
            "aws-eu 90faa259-fbf6-493a-b492-e59e1cfbe3a6 c1d0b22a5d7025429f32b17e5c45f946 3ffb040b new "
            "[Processing ubuntu16.] [] [Success\x1f\x1f"
            "1592680933849335000\x1f"
            "1592680324161000000\x1f"
            "687]");
  for (const char* name : kNames) {
    const std::vector<std::string> lines = seeds(name);
    ASSERT_EQ(lines.size(), facts.size());
    for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(facts_of(line_format(name).read(lines[i])), facts[i]);
  }
  const std::vector<std::string> ecs = lines_of(read_data_file("seeds/aws-events.ndjson"));
  std::size_t found = 0;
  for (const std::string& line : ecs) found += facts_of(kEcsLines.read(line)) == facts[0] ? 1 : 0;
  EXPECT_EQ(found, 1u);
}

TEST(Written, IsTakenOutOfItsEscapes) {
  const auto cef = kCefLines.read(lines_of(read_data_file("formats/hostile.cef")).at(0));
  ASSERT_TRUE(cef);
  EXPECT_EQ(cef->message, R"(a|b c\d e=f g\=h\nline 2\rline 3)"
                          "\ttab \xef\xbf\xbd slHash=deadbeef CEF:0|x Größe 日本 C:\\dir\\new end");
  const auto syslog = kRfc5424Lines.read(lines_of(read_data_file("formats/hostile.rfc5424")).at(0));
  ASSERT_TRUE(syslog);
  EXPECT_EQ(syslog->session, R"(a b"c]d\e=f)");
  EXPECT_EQ(syslog->message, R"(a"b ]c \d line 1\nline 2 Größe 日本 <13>1 [x y="z"])");
}

TEST(Written, IsNothingOfALineThatIsNotWhole) {
  for (const char* name : kNames) {
    for (const std::string& line : seeds(name)) {
      for (std::size_t size = 0; size < line.size(); ++size) {
        EXPECT_FALSE(line_format(name).read(line.substr(0, size))) << name << ' ' << size;
      }
      for (const char* other : kNames) {
        const bool is_its_own = std::string_view(other) == name;
        EXPECT_EQ(line_format(other).read(line).has_value(), is_its_own) << name << " as " << other;
      }
    }
  }
  EXPECT_THROW(line_format("leef"), std::invalid_argument);
}

TEST(Written, SaysInOneLineWhatHasSeveral) {
  EXPECT_EQ(in_one_line("plain\ttext Größe"), "plain\ttext Größe");
  EXPECT_EQ(in_one_line("a\nb\rc\x1b\x7f"), "a\\nb\\rc\xef\xbf\xbd\xef\xbf\xbd");
}

}  // namespace
}  // namespace fleet
