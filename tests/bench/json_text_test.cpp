#include "bench/fleet/json_text.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace fleet {
namespace {

std::string plain(std::string_view text) {
  std::string json;
  append_json(json, text);
  return json;
}

TEST(JsonText, EscapesWhatJsonAsksFor) {
  EXPECT_EQ(plain("a\"b\\c\n\x1b"), R"("a\"b\\c\n\u001b")");
  EXPECT_EQ(plain("läuft"), "\"läuft\"");
}

TEST(JsonText, SpellsLoneSurrogatesAsEscapes) {
  EXPECT_EQ(plain("half \xed\xa0\xbd!"), R"("half \ud83d!")");
  EXPECT_EQ(as_owed("half \xed\xa0\xbd!"), "half \xef\xbf\xbd!");
}

TEST(JsonText, EverySpellingIsTheSameText) {
  const std::string text = "Tür \xf0\x9f\x8e\x89 \"C:\\a\" \n\x1b";
  Random random(1);
  simdjson::dom::parser parser;
  std::string before;
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    std::string json;
    append_json_respelled(json, text, random);
    EXPECT_EQ(std::string_view(parser.parse(json).get_string().value()), text) << json;
    differs |= i > 0 && json != before;
    before = json;
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace fleet
