#include "sinks/file/output_line.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

constexpr const char* kEvent = R"("event":{"id":"00000000000000ff0123456789abcdef","hash":"0000abcd","duration":687})";
constexpr const char* kSessionlog = R"("sessionlog":{"source":"aws","session_id":"s-1"})";

// Copied to the end of a block of its own, so that the address sanitizer sees a read too far.
struct Read {
  std::optional<Delivered> event;
  std::string source_id, session_id;
};

Read read(const std::string& line) {
  OutputLineReader reader;
  const std::string padded = line + std::string(OutputLineReader::kPadding, 'x');
  Read read{reader.read(padded.data(), line.size()), {}, {}};
  if (read.event) {
    read.source_id = read.event->source_id;
    read.session_id = read.event->session_id;
  }
  return read;
}

std::string object(const std::string& members, std::string_view time = "1970-01-01T00:00:09.5Z") {
  return fmt::format(R"({{"@timestamp":"{}",{}}})", time, members);
}

TEST(OutputLine, NamesTheEntry) {
  const Read line = read(object(std::string(kEvent) + "," + kSessionlog));
  ASSERT_TRUE(line.event);
  EXPECT_EQ(line.event->session_key, 0xffu);
  EXPECT_EQ(line.event->entry_key, 0x0123456789abcdefu);
  EXPECT_EQ(line.event->hash, 0xabcdu);
  EXPECT_EQ(line.source_id, "aws");
  EXPECT_EQ(line.session_id, "s-1");
}

TEST(OutputLine, KnowsTheLogTimeWhereThereIsOne) {
  const std::string event = R"("event":{"id":"00000000000000ff0123456789abcdef","hash":"0000abcd","kind":"event"},)";
  const std::string error =
      R"("event":{"id":"00000000000000ff0123456789abcdef","hash":"0000abcd","kind":"pipeline_error"},)";
  const std::string with = R"("sessionlog":{"source":"aws","session_id":"s-1","log_time":"whatever it was"})";
  const struct {
    std::string line;
    std::optional<Instant> log_time;
  } cases[] = {
      {object(event + with), Instant{9, 500'000'000}},
      {object(event + kSessionlog), std::nullopt},  // a gap: written when it was noticed
      {object(error + with), std::nullopt},
      {object(event + with, "soon"), std::nullopt},
      {object(event + with, "1970-01-01T00:00:09.5"), std::nullopt},
  };
  for (const auto& c : cases) {
    const Read read_line = read(c.line);
    ASSERT_TRUE(read_line.event) << c.line;
    EXPECT_EQ(read_line.event->log_time, c.log_time) << c.line;
  }
}

TEST(OutputLine, TakesTheSourceIdBeforeTheName) {
  const Read line =
      read(object(std::string(kEvent) + R"(,"sessionlog":{"source":"new","source_id":"o\"ld","session_id":"\u00e9"})"));
  ASSERT_TRUE(line.event);
  EXPECT_EQ(line.source_id, "o\"ld");
  EXPECT_EQ(line.session_id, "é");
}

TEST(OutputLine, BelievesWhatIsValidToItsLastByte) {
  const std::string ours = std::string(kEvent) + "," + kSessionlog;
  const std::string believed[] = {
      object(ours),
      object(ours) + "\r",  // an editor made the line ends those of another system: who reads it reads our event
      object(ours + R"(,"labels":{"a":"b"},"list":[1,-2.5e3,true,false,null,[],{}],"big":18446744073709551615)"),
      object(R"("message":"tabs\tand \ud83d\ude00",)" + ours),
      object(ours + R"(,"event":{"id":"another"})").replace(0, 1, "{"),
  };
  for (const std::string& line : believed) EXPECT_TRUE(read(line).event) << line;
}

TEST(OutputLine, DismissesEverythingElse) {
  const std::string ours = std::string(kEvent) + "," + kSessionlog;
  const std::string dismissed[] = {
      "",
      " ",
      "{",
      "{}",
      "null",
      "{" + ours + "}",  // an event has its time first
      "[" + object(ours) + "]",
      " " + object(ours),
      "\xef\xbb\xbf" + object(ours),
      object(ours) + "}",
      object(ours) + "x",
      object(ours) + object(ours),
      object(ours).substr(0, object(ours).size() - 1),
      object(ours + ","),
      object("," + ours),
      object(ours + R"(,"a" 1)"),
      object(ours + R"(,"a":tru)"),
      object(ours + R"(,"a":nul)"),
      object(ours + R"(,"a":nullx)"),
      object(ours + R"(,"a":01)"),
      object(ours + R"(,"a":1.)"),
      object(ours + R"(,"a":[1 2])"),
      object(ours + R"(,"a":[1,])"),
      object(ours + R"(,"a":[1})"),
      object(ours + R"(,"a":{"b"})"),
      object(ours + R"(,"a":"\x")"),
      object(ours + ",\"a\":\"\xff\""),
      object(ours + ",\"a\":\"\x01\""),
      object(ours + std::string(",\"a\":\"\0\"", 9)),
      object(ours + ",\"a\":" + std::string(100, '[') + std::string(100, ']')),
      object(kEvent),
      object(kSessionlog),
      object(std::string(kEvent) + R"(,"sessionlog":{"source":"aws"})"),
      object(std::string(kEvent) + R"(,"sessionlog":{"session_id":"s"})"),
      object(std::string(kEvent) + R"(,"sessionlog":{"source":1,"session_id":"s"})"),
      object(std::string(kEvent) + R"(,"sessionlog":"aws")"),
      object(R"("event":{"id":"00000000000000ff0123456789abcde","hash":"0000abcd"},)" + std::string(kSessionlog)),
      object(R"("event":{"id":"00000000000000ff0123456789abcdeg","hash":"0000abcd"},)" + std::string(kSessionlog)),
      object(R"("event":{"id":"-0000000000000ff0123456789abcdef","hash":"0000abcd"},)" + std::string(kSessionlog)),
      object(R"("event":{"id":"00000000000000ff0123456789abcdef","hash":"0000abcde"},)" + std::string(kSessionlog)),
      object(R"("event":{"id":"00000000000000ff0123456789abcdef"},)" + std::string(kSessionlog)),
  };
  for (const std::string& line : dismissed) EXPECT_FALSE(read(line).event) << line;
}

TEST(OutputLine, DismissesEveryBeginningOfAnEvent) {
  std::string line = test::event_line(1, 2, "a \\\"quoted\\\" one");
  line.pop_back();
  for (std::size_t size = 0; size < line.size(); ++size) EXPECT_FALSE(read(line.substr(0, size)).event) << size;
  EXPECT_TRUE(read(line).event);
}

}  // namespace
}  // namespace sessionlogd
