// Texts of every kind in every place of an event, in every format: a line stays one line, says what the event said, and
// no text becomes a field. What cannot stand in a line (control characters, bytes that are no UTF-8) may become U+FFFD.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/base/json_text.h"
#include "sinks/file/output_line.h"
#include "tests/formats/hostile_texts.h"
#include "tests/formats/plain_format.h"
#include "tests/formats/support.h"

namespace sessionlogd::test {
namespace {

class HostileInFormat : public testing::TestWithParam<const Format*> {
 protected:
  const Format& format = *GetParam();

  // An event with `text` wherever an appliance can put one.
  std::string line_with(const std::string& text) {
    session_ = {};
    session_.id = "session-7";
    session_.type = session_.name = session_.parent = text;
    event_ = event_of(EventKind::kChanged, 7, 11, text);
    event_.session = &session_;
    event_.status = event_.resource_id = event_.duration = event_.log_time = text;
    event_.original = event_.extra = text;
    std::string line = line_in(format, event_);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    line.pop_back();
    return line;
  }

  void expect_itself(const std::string& line) {
    EXPECT_TRUE(is_utf8(line)) << line;
    const ReadLine read(format, line);
    ASSERT_TRUE(read.event()) << line;
    const WrittenEvent& event = *read.event();
    EXPECT_EQ(event.entry.session_key, 7u);
    EXPECT_EQ(event.entry.entry_key, 11u);
    EXPECT_EQ(event.entry.hash, 12u);
    EXPECT_EQ(event.entry.source_id, "src");
    EXPECT_EQ(event.entry.session_id, "session-7");
    EXPECT_EQ(event.entry.log_time.has_value(), !event_.log_time.empty());
    EXPECT_EQ(event.change, EventKind::kChanged);
    EXPECT_EQ(event.source_name, "renamed");
  }

  SessionInfo session_;
  Event event_;
};

TEST_P(HostileInFormat, IsReadBackWhole) {
  for (const std::string& text : whole_texts()) {
    const std::string line = line_with(text);
    expect_itself(line);
    const ReadLine read(format, line);
    ASSERT_TRUE(read.event());
    for (const std::string_view found :
         {read.event()->message, read.event()->status, read.event()->resource_id, read.event()->duration,
          read.event()->log_time, read.event()->original, read.event()->extra}) {
      EXPECT_TRUE(found == text) << text.substr(0, 100) << "\n" << found.substr(0, 100);
    }
  }
}

// Recovery finds the state by them.
TEST_P(HostileInFormat, SessionIdsAreExact) {
  for (const std::string id :
       {"..\\..", "a\\nb\\rc\\\\n", "\\", "a b=c slHash=deadbeef", "\"] [x]", "a/b|c\\|", "é\u2028"}) {
    (void)line_with("x");
    session_.id = id;
    const std::string line = line_in(format, event_);
    const ReadLine read(format, std::string_view(line).substr(0, line.size() - 1));
    ASSERT_TRUE(read.event()) << line;
    EXPECT_EQ(read.event()->entry.session_id, id);
  }
}

TEST_P(HostileInFormat, NeverBreaksItsLine) {
  for (const std::string& text : replaced_texts()) expect_itself(line_with(text));
}

TEST_P(HostileInFormat, StaysValidWhenItIsCut) {
  for (const auto* texts : {&whole_texts(), &replaced_texts()}) {
    for (const std::string& text : *texts) {
      const std::string line = line_with(text.substr(0, 300));
      for (std::size_t limit = 400; limit < line.size(); limit += 3) {
        const std::string cut = format.cut(line, limit);
        expect_itself(cut);
        if (testing::Test::HasFailure()) FAIL() << limit << ": " << cut;
      }
    }
  }
}

TEST_P(HostileInFormat, OfChanceIsItself) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  static constexpr std::string_view kPieces[] = {
      "\\", "=", "|",       "]",        "[",    "\"",           " ",   "\n",          "\r",
      "\t", "n", "slHash=", "\xc3\xa9", "\xff", "\xe2\x80\xa8", "msg", "bytes=\"0\"", "x"};
  for (int round = 0; round < 2'000; ++round) {
    std::string text;
    for (unsigned count = random() % 20; count > 0; --count) text += kPieces[random() % std::size(kPieces)];
    const std::string line = line_with(text);
    expect_itself(line);
    if (line.size() > 500) expect_itself(format.cut(line, 500 + random() % (line.size() - 500)));
    if (testing::Test::HasFailure()) FAIL() << line;
  }
}

// kPlainFormat, which nobody is given, leaves bytes as they are.
std::vector<const Format*> shipped() {
  std::vector<const Format*> shipped(formats().begin(), formats().end());
  std::erase(shipped, &kPlainFormat);
  return shipped;
}

INSTANTIATE_TEST_SUITE_P(Formats, HostileInFormat, testing::ValuesIn(shipped()),
                         [](const auto& format) { return std::string(format.param->name); });

}  // namespace
}  // namespace sessionlogd::test
