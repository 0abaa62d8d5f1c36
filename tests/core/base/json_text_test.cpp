#include "core/base/json_text.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "core/base/line_buffer.h"
#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

constexpr std::size_t kDeep = 100'000;

bool is_value(std::string_view text) { return end_of_value(text, 0) == text.size(); }

std::string decoded(std::string_view token) {
  std::string text;
  EXPECT_TRUE(append_decoded(text, token)) << token;
  return text;
}

std::string encoded(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

TEST(JsonText, TakesEveryValueOfTheGrammar) {
  const std::string_view cases[] = {
      "true",
      "false",
      "null",
      "0",
      "-0",
      "1",
      "-12",
      "10.5",
      "0.0",
      "1e5",
      "1E+5",
      "1.25e-10",
      "0e0",
      "184467440737095516160000000000",
      R"("")",
      R"("a b")",
      R"("\"\\\/\b\f\n\r\t\u00e9")",
      R"("\ud83d")",
      "\"\xff\"",
      "\"\x7f\"",
      "{}",
      "[]",
      "{ }",
      "[ \t\r\n]",
      R"({"a":1})",
      R"({"a":1,"a":2})",
      R"({"":{}})",
      R"([1,"a",null,[],{}])",
      R"( {"a" : [ 1 , { "b" : "}" } ] } )",
      R"([[[]],[{}]])",
  };
  for (const std::string_view text : cases) {
    const std::size_t begin = skip_white_space(text, 0);
    const auto end = end_of_value(text, begin);
    ASSERT_TRUE(end) << text;
    EXPECT_EQ(skip_white_space(text, *end), text.size()) << text;
  }
}

TEST(JsonText, RefusesWhatTheGrammarDoesNotHave) {
  const std::string_view cases[] = {
      "",
      "tru",
      "True",
      "nul",
      "NaN",
      "Infinity",
      "-",
      "+1",
      "01",
      "-01",
      ".5",
      "1.",
      "1.e5",
      "1e",
      "1e+",
      "--1",
      "0x10",
      "'a'",
      "\"",
      R"("a)",
      R"("\")",
      R"("\x41")",
      R"("\u12")",
      R"("\u12g4")",
      R"("\u")",
      "\"a\nb\"",
      "\"\t\"",
      "{",
      "[",
      "}",
      "]",
      "{]",
      "[}",
      "[1,]",
      "[,1]",
      "[,]",
      "[1 2]",
      "[1;2]",
      "{,}",
      R"({"a"})",
      R"({"a":})",
      R"({"a":1,})",
      R"({,"a":1})",
      R"({"a":1 "b":2})",
      R"({"a" 1})",
      R"({a:1})",
      R"({1:2})",
      R"({"a"::1})",
      R"({"a":"b":1})",
      R"([{"a":1])",
      R"([{"a":1]})",
      R"({"a":[1})",
      R"({"a":tru})",
      "[tru,]",
      "[/**/]",
      ":",
      ",",
  };
  for (const std::string_view text : cases) EXPECT_FALSE(is_value(text)) << text;
  EXPECT_FALSE(is_value(std::string_view("\"a\0\"", 4)));
}

TEST(JsonText, EndsAValueWhereItEnds) {
  EXPECT_EQ(end_of_value(R"({"a":1},2)", 0), 7u);
  EXPECT_EQ(end_of_value("12,", 0), 2u);
  EXPECT_EQ(end_of_value(R"("a" ,)", 0), 3u);
  EXPECT_EQ(end_of_value(R"(xx[1]yy)", 2), 5u);
}

TEST(JsonText, NestsAsDeepAsTheTextDoes) {
  const std::string arrays = std::string(kDeep, '[') + std::string(kDeep, ']');
  EXPECT_TRUE(is_value(arrays));
  EXPECT_FALSE(is_value(arrays.substr(0, arrays.size() - 1)));
  EXPECT_FALSE(is_value(std::string(kDeep, '[') + "}" + std::string(kDeep - 1, ']')));
  std::string objects;
  for (std::size_t i = 0; i < kDeep; ++i) objects += R"({"a":)";
  EXPECT_FALSE(is_value(objects));
  EXPECT_TRUE(is_value(objects + "0" + std::string(kDeep, '}')));
}

TEST(JsonText, TellsJsonFromTheRest) {
  for (const std::string_view json : {"{}", " [1] \n", "\xEF\xBB\xBF null", "\"\xFF\"", "0"})
    EXPECT_TRUE(is_json(json)) << json;
  for (const std::string_view other : {"", " ", "<html>", "{} {}", "{", "[1,]", "nul"})
    EXPECT_FALSE(is_json(other)) << other;
}

TEST(JsonText, TellsUtf8FromTheRest) {
  for (const std::string_view text : {"", "abc", "\xC3\xA9", "\xF0\x9F\x98\x80"}) EXPECT_TRUE(is_utf8(text)) << text;
  for (const std::string_view text : {"\xFF", "a\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80"})
    EXPECT_FALSE(is_utf8(text));
}

TEST(JsonText, TellsLiteralsFromTheRest) {
  for (const std::string_view token : {"true", "false", "null", "-1.5e3", "0"})
    EXPECT_TRUE(is_valid_literal(token)) << token;
  for (const std::string_view token : {"", "truex", "tru", "1x", "01", "\"a\"", "nullnull", "1 ", "{}", "[]"}) {
    EXPECT_FALSE(is_valid_literal(token)) << token;
  }
}

TEST(JsonText, DecodesWhatAStringStandsFor) {
  struct Case {
    std::string_view token, text;
  };
  const Case cases[] = {
      {R"("")", ""},
      {R"("plain")", "plain"},
      {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {R"("\u0041\u00e9\u20AC")", "A\xC3\xA9\xE2\x82\xAC"},
      {R"("\ud83c\udf89!")", "\xF0\x9F\x8E\x89!"},
      {R"("\uDBFF\uDFFF")", "\xF4\x8F\xBF\xBF"},
      {R"("\ud83d")", "\xEF\xBF\xBD"},
      {R"("\udc00x")", "\xEF\xBF\xBDx"},
      {R"("\ud83d\ud83c\udf89")", "\xEF\xBF\xBD\xF0\x9F\x8E\x89"},
      {R"("\ud83d\n")", "\xEF\xBF\xBD\n"},
      {R"("\ud83d\u0041")",
       "\xEF\xBF\xBD"
       "A"},
      {R"("\udf89\ud83c")", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\"\xC3\xA9\"", "\xC3\xA9"},
      {"\"\xFF\"", "\xEF\xBF\xBD"},
      {"\"a\xC3\"", "a\xEF\xBF\xBD"},
      {"\"\xC3(\"", "\xEF\xBF\xBD("},
      {"\"\xC0\xAF\"", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\"\xED\xA0\x80\"", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\"\xF4\x90\x80\x80\"", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\"\xE0\x80\x80\"", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\"\xF0\x80\x80\x80\"", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
  };
  for (const Case& c : cases) EXPECT_EQ(decoded(c.token), c.text) << c.token;
  EXPECT_EQ(decoded(R"("\u0000")"), std::string(1, '\0'));
}

TEST(JsonText, AppendsNothingOfAWrongEscape) {
  for (const std::string_view token : {R"("abc\x")", R"("abc\u12")", R"("abc\uzzzz")", R"("abc\")"}) {
    std::string text = "before";
    EXPECT_FALSE(append_decoded(text, token)) << token;
    EXPECT_EQ(text, "before") << token;
  }
}

TEST(JsonText, WritesOnlyValidStrings) {
  struct Case {
    std::string_view text, json;
  };
  const Case cases[] = {
      {"", R"("")"},
      {"a/b", R"("a/b")"},
      {"\"\\\n\r\t\b\x1f", R"("\"\\\n\r\t\u0008\u001f")"},
      {"\x7f", "\"\x7f\""},
      {"\xC3\xA9\xF0\x9F\x8E\x89", "\"\xC3\xA9\xF0\x9F\x8E\x89\""},
      {"\xFF"
       "a\xE2\x82",
       "\"\xEF\xBF\xBD"
       "a\xEF\xBF\xBD\xEF\xBF\xBD\""},
      {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(encoded(c.text), c.json);
    EXPECT_TRUE(is_value(c.json)) << c.json;
  }
  EXPECT_EQ(encoded(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonText, EncodesAndDecodesEveryCharacter) {
  for (unsigned c = 0; c < 0x80; ++c) {
    const std::string text(1, static_cast<char>(c));
    EXPECT_EQ(decoded(encoded(text)), text) << c;
  }
}

// Texts are looked through eight bytes at a time, their ends byte by byte: what a piece becomes is the same wherever it
// stands.
TEST(JsonText, WritesAPieceTheSameWhereverItStands) {
  std::mt19937_64 random(test::random_seed());
  static const std::vector<std::string> kPieces = {"a",
                                                   "Z",
                                                   "~",
                                                   " ",
                                                   "!",
                                                   "#",
                                                   "[",
                                                   "]",
                                                   "plain text",
                                                   std::string(1, '\0'),
                                                   "longer plain text",
                                                   "\"",
                                                   "\\",
                                                   "\n",
                                                   "\x1f",
                                                   "\x7f",
                                                   "\x80",
                                                   "\xff",
                                                   "\xC3\xA9\x80",
                                                   "\xC3\xA9",
                                                   "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
                                                   "\xE2 "};
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 12, 'x'), json = "\"" + text;
    for (std::size_t count = random() % 8; count > 0; --count) {
      const std::string& piece = kPieces[random() % kPieces.size()];
      text += piece;
      const std::string alone = encoded(piece);
      json += inside_quotes(alone);
    }
    ASSERT_EQ(encoded(text), json + "\"");
    std::string by_line;
    LineBuffer line(by_line);
    append_json_string(line, text);
    line.flush();
    ASSERT_EQ(by_line, json + "\"");
  }
}

TEST(JsonCursor, WalksMembersAndElements) {
  JsonCursor cursor(R"( { "a" : 1 , "b" : [ 2 , { } ] , "c":null } )");
  ASSERT_TRUE(cursor.enter('{'));
  EXPECT_EQ(cursor.next_key(), R"("a")");
  EXPECT_EQ(cursor.take_value(), "1");
  EXPECT_EQ(cursor.next_key(), R"("b")");
  EXPECT_FALSE(cursor.enter('{'));
  ASSERT_TRUE(cursor.enter('['));
  ASSERT_TRUE(cursor.next_element());
  EXPECT_EQ(cursor.take_value(), "2");
  ASSERT_TRUE(cursor.next_element());
  EXPECT_EQ(cursor.take_value(), "{ }");
  EXPECT_FALSE(cursor.next_element());
  EXPECT_EQ(cursor.next_key(), R"("c")");
  EXPECT_EQ(cursor.take_value(), "null");
  EXPECT_FALSE(cursor.at_end());
  EXPECT_FALSE(cursor.next_key());
  EXPECT_TRUE(cursor.at_end());
  EXPECT_FALSE(cursor.faulty());
}

// What a walk over an array of scalars gives before it stops.
std::vector<std::string_view> elements(std::string_view text, bool& faulty) {
  std::vector<std::string_view> all;
  JsonCursor cursor(text);
  if (cursor.enter('[')) {
    while (cursor.next_element()) {
      const auto value = cursor.take_value();
      if (!value) break;
      all.push_back(*value);
    }
  }
  faulty = cursor.faulty();
  return all;
}

TEST(JsonCursor, GivesWhatStandsBeforeAFault) {
  struct Case {
    std::string_view text;
    std::size_t elements;
    bool faulty;
  };
  const Case cases[] = {
      {"[]", 0, false},     {"[1]", 1, false},   {"[1,2 ]", 2, false}, {"[", 0, true},      {"[1", 0, true},
      {"[1,", 1, true},     {"[1,]", 1, true},   {"[,]", 0, true},     {"[1 2]", 1, true},  {"[1}", 1, true},
      {"[1,tru]", 1, true}, {"[1,2x]", 1, true}, {"[truex]", 0, true}, {"[\"a\"", 1, true}, {"[{},{\"a\":1", 1, true},
      {"[{}x", 1, true},    {"[1,12", 1, true},  {"[null", 0, true},
  };
  for (const Case& c : cases) {
    bool faulty = false;
    EXPECT_EQ(elements(c.text, faulty).size(), c.elements) << c.text;
    EXPECT_EQ(faulty, c.faulty) << c.text;
  }
}

TEST(JsonCursor, FindsFaultsBetweenMembers) {
  for (const std::string_view text : {"{", R"({"a")", R"({"a" 1})", R"({a:1})", R"({"a":1,})", R"({"a":1 "b":2})",
                                      R"({,"a":1})", R"({"a":1])", R"({"a\x":1})"}) {
    JsonCursor cursor(text);
    ASSERT_TRUE(cursor.enter('{')) << text;
    while (cursor.next_key() && cursor.take_value()) continue;
    EXPECT_TRUE(cursor.faulty()) << text;
  }
}

}  // namespace
}  // namespace sessionlogd
