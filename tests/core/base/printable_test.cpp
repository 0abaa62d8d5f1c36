#include "core/base/printable.h"

#include <gtest/gtest.h>

#include "core/base/log_line.h"
#include "core/base/visible_json.h"
#include "tests/core/captured_log.h"

namespace sessionlogd {
namespace {

// Whether a terminal or a reader would see more than characters: asked of the bytes, not of what is tested.
bool moves_anything(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  for (const std::string_view mark : {"\u2028", "\u2029", "\u202A", "\u202B", "\u202C", "\u202D", "\u202E", "\u2066",
                                      "\u2067", "\u2068", "\u2069", "\u200B", "\u200E", "\u200F", "\u061C", "\uFEFF"}) {
    if (text.find(mark) != text.npos) return true;
  }
  return false;
}

TEST(Printable, LeavesWhatPeopleReadAsItIs) {
  for (const std::string_view text :
       {"", "plain text, 100 %", "\u00E4\u00F6\u00FC \u20AC \U0001F600", "a\\b", "\u00A0"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, WritesTheRestInLetters) {
  const std::pair<std::string_view, std::string_view> table[] = {{"a\nb\r\tc", "a\\nb\\r\\tc"},
                                                                 {"\x1b[2J", "\\x1b[2J"},
                                                                 {"\x7f", "\\x7f"},
                                                                 {"\u0085\u009B", "\\u0085\\u009b"},
                                                                 {"\u2028\u202E", "\\u2028\\u202e"},
                                                                 {"\uFEFF\u200B", "\\ufeff\\u200b"},
                                                                 {"\xFF\xC2", "\\xff\\xc2"},
                                                                 {"\xED\xA0\x80", "\\xed\\xa0\\x80"},
                                                                 {"\xC0\x8A", "\\xc0\\x8a"},
                                                                 {"\xE2\x80", "\\xe2\\x80"}};
  for (const auto& [text, written] : table) EXPECT_EQ(printable(text), written);
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Printable, LetsNothingThroughThatMovesAnything) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      const std::string text{'x', static_cast<char>(a), static_cast<char>(b), 'y'};
      EXPECT_FALSE(moves_anything(printable(text))) << a << " " << b;
      EXPECT_FALSE(moves_anything("\xE2" + printable(text.substr(1)))) << "behind a byte that is cut off";
    }
  }
  for (const unsigned last : {0xA8u, 0xA9u, 0xAAu, 0xAEu, 0x8Bu, 0x8Eu, 0x8Fu})
    EXPECT_FALSE(moves_anything(printable(std::string{'\xE2', '\x80', static_cast<char>(last)})));
}

TEST(Printable, MakesOneWordOfAnId) {
  EXPECT_EQ(printable_word("90faa259-fbf6_1.2=="), "90faa259-fbf6_1.2==");
  EXPECT_EQ(printable_word("x sink=file source=other"), "x\\x20sink=file\\x20source=other");
  EXPECT_EQ(printable_word("a\u00A0b\u3000c"), "a\\u00a0b\\u3000c");
  EXPECT_EQ(printable_word("a\\x20b"), "a\\x5cx20b") << "and not that of another";
}

TEST(VisibleJson, WritesWhatCannotBeSeenAsItsNumber) {
  std::string json;
  append_visible_json_string(json, "a\n\u2028\u202E\u009B\U000E0041\xFF\u00E4\"");
  EXPECT_EQ(json, "\"a\\n\\u2028\\u202e\\u009b\\udb40\\udc41\uFFFD\u00E4\\\"\"");
  EXPECT_FALSE(moves_anything(json));
}

TEST(LogLine, NamesWhomItIsAboutInWordsThatNobodyCanForge) {
  CapturedLog log;
  log_warn({.source = "a", .session = "x sink=file source=other"}, "cannot be read: {}", "no");
  EXPECT_EQ(log.count("source=a session=x\\x20sink=file\\x20source=other cannot be read: no"), 1);
  log_error({.sink = "file:/var/log/e v"}, "stops");
  EXPECT_EQ(log.count("sink=file:/var/log/e v stops"), 1);
  log_info({}, "plain {}", 1);
  EXPECT_EQ(log.count("plain 1"), 1);
  EXPECT_EQ(about_the_line().source, "") << "only while it is written";
}

}  // namespace
}  // namespace sessionlogd
