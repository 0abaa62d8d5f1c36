#include "core/entries/log_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/entries/log_text.h"

namespace sessionlogd {
namespace {

using test::LogText;
using testing::HasSubstr;

constexpr std::string_view kA = R"({"logTime":"2020-06-20T19:12:00","status":"Success","message":"a"})";
constexpr std::string_view kB = R"({"logTime":"2020-06-20T19:12:01","status":"Success","message":"b"})";

std::string log_of(std::string_view entries) { return R"({"sessionId":"s1","log":[)" + std::string(entries) + "]}"; }
std::string both() { return std::string(kA) + "," + std::string(kB); }

TEST(LogParser, ReadsEveryFieldOfBothDialects) {
  LogText aws(test::aws());
  const Entry one = aws.read(R"({"sessionId":"s1","log":[{"logTime":"2020-06-20T19:22:13.849335","status":"Success",
      "message":"m","executionStartTime":"2020-06-20T19:12:04.161597","executionDuration":687}]})")
                        .entries.at(0);
  EXPECT_EQ(one.fault, nullptr);
  EXPECT_EQ(one.field(EntryField::kLogTime), R"("2020-06-20T19:22:13.849335")");
  EXPECT_EQ(one.field(EntryField::kMessage), R"("m")");
  EXPECT_EQ(one.field(EntryField::kDuration), "687");
  EXPECT_EQ(one.status, test::aws().status("Success"));
  EXPECT_EQ(one.start->instant, (Instant{1'592'680'324, 161'597'000}));
  EXPECT_TRUE(one.final);

  LogText azure(test::azure());
  const Entry two = azure
                        .read(R"({"jobSessionId":"s1","log":[{"logTime":"2020-06-20T19:22:13Z","status":"Running",
      "message":"m","resourceHashId":"r","executionStartTime":null,"executionDuration":"00:00:01"}]})")
                        .entries.at(0);
  EXPECT_EQ(two.fault, nullptr);
  EXPECT_EQ(two.field(EntryField::kResourceId), R"("r")");
  EXPECT_EQ(two.field(EntryField::kStart), "");
  EXPECT_FALSE(two.start);
  EXPECT_FALSE(two.final);
}

TEST(LogParser, TakesEachEntryAsItStands) {
  LogText log(test::aws());
  const SessionLog& read = log.read("{\"log\" : [ " + std::string(kA) + " \n,\t" + std::string(kB) +
                                    " , 5 , \"x\" , [ 1 ] , true , null ] }");
  ASSERT_EQ(read.entries.size(), 7u);
  EXPECT_EQ(read.fault, "");
  const std::string_view raws[] = {kA, kB, "5", "\"x\"", "[ 1 ]", "true", "null"};
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(read.entries[i].raw, raws[i]);
}

TEST(LogParser, TakesResponsesWithoutEntries) {
  LogText log(test::aws());
  for (const std::string_view text :
       {R"({"log":[]})", R"({"sessionId":"s1"})", R"({"log":null,"sessionId":"S1"})", R"({"sessionId":null,"log":[]})",
        R"({"message":"none yet","log":[]})", " {\"log\":[ ]}\r\n "}) {
    const auto read = log.parse(text);
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_TRUE((*read)->entries.empty() && (*read)->fault.empty()) << text;
  }
}

TEST(LogParser, TakesTheFirstOfRepeatedKeysThatIsNotNull) {
  struct Case {
    std::string text;
    std::string_view message;
  };
  const std::string a(kA), b(kB);
  const Case cases[] = {
      {R"({"log":[)" + a + R"(],"log":[)" + b + "]}", "\"a\""},
      {R"({"log":null,"log":[)" + b + R"(],"log":null})", "\"b\""},
      {R"({"log":[{"message":"a","message":"b"}]})", "\"a\""},
      {R"({"log":[{"message":null,"message":"b"}]})", "\"b\""},
      {R"({"log":[{"message":"a","message":null}]})", "\"a\""},
      {R"({"log":[{"m\u0065ssage":"a","message":"b"}]})", "\"a\""},
      {R"({"sessionId":"s1","sessionId":"s2","log":[)" + a + "]}", "\"a\""},
      {R"({"sessionId":null,"sessionId":"s1","log":[)" + a + "]}", "\"a\""},
  };
  LogText log(test::aws());
  // A key with an escape makes the cursor walk; what is read must be the same.
  for (const Case& c : cases) {
    for (const std::string_view extra : {"\"x\":0,", R"("\u0078":0,)"}) {
      const std::string text = "{" + std::string(extra) + c.text.substr(1);
      const SessionLog& read = log.read(text);
      ASSERT_EQ(read.entries.size(), 1u) << text;
      EXPECT_EQ(read.entries[0].field(EntryField::kMessage), c.message) << text;
    }
  }
}

TEST(LogParser, ReadsWhatJsonAllowsAndSimdjsonDoesNot) {
  LogText log(test::aws());
  const std::string cases[] = {
      log_of(R"({"logTime":"2020-06-20T19:12:00","message":"a","x":123456789012345678901234567890})"),
      log_of(R"({"logTime":"2020-06-20T19:12:00","message":"a","x":1e999})"),
      log_of(R"({"logTime":"2020-06-20T19:12:00","message":"half \ud83d"})"),
      log_of(R"({"logTime":"2020-06-20T19:12:00","message":"a","x":")"
             "\xFF"
             R"("})"),
      log_of("{\"logTime\":\"2020-06-20T19:12:00\",\"message\":\"a\xC3\"}"),
      log_of(R"({"logTime":"2020-06-20T19:12:00","\u006dessage":"a"})"),
      R"({"\u006cog":[)" + std::string(kA) + "]}",
      "\xEF\xBB\xBF" + log_of(kA),
      log_of(R"({"logTime":"2020-06-20T19:12:00","message":"a","deep":)" + std::string(100'000, '[') +
             std::string(100'000, ']') + "}"),
  };
  for (const std::string& text : cases) {
    const SessionLog& read = log.read(text);
    ASSERT_EQ(read.entries.size(), 1u) << text.substr(0, 200);
    EXPECT_EQ(read.fault, "") << text.substr(0, 200);
    EXPECT_EQ(read.entries[0].fault, nullptr) << text.substr(0, 200);
    EXPECT_FALSE(read.entries[0].field(EntryField::kMessage).empty());
  }
}

TEST(LogParser, GivesTheEntriesBeforeAFault) {
  struct Case {
    std::string text;
    std::size_t entries;
  };
  const std::string a(kA);
  const Case cases[] = {
      {R"({"log":[)" + both(), 2},
      {R"({"log":[)" + both() + "]", 2},
      {R"({"log":[)" + both() + ",", 2},
      {R"({"log":[)" + both() + ",]}", 2},
      {R"({"log":[)" + a + std::string(kB) + "]}", 1},
      {R"({"log":[)" + both().substr(0, both().size() - 1), 1},
      {log_of(both()) + "x", 2},
      {log_of(both()) + "{}", 2},
      {log_of(both()) + "]", 2},
      {R"({"log":[)" + both() + R"(],"x":tru})", 2},
      {R"({"log":[)" + both() + R"(],"x":[tru,}}{]})", 2},
      {R"({"log":[)" + both() + R"(],"x":"a":1})", 2},
      {R"({"log":[)" + both() + R"(],"x":1 2})", 2},
      {R"({"log":[)" + both() + R"(],})", 2},
      {R"({"log":[)" + a + R"(,{"message":"b","x":tru},)" + a + "]}", 1},
      {R"({"log":[)" + a + R"(,{"message":"b","x":"y":1},)" + a + "]}", 1},
      {R"({"log":[)" + a + R"(,{"message":"b","x":{"y":01}},)" + a + "]}", 1},
      {R"({"log":[)" + a + R"(,{"message":"b\x"},)" + a + "]}", 1},
      {R"({"log":[)" + a + ",{\"message\":\"b\nb\"}," + a + "]}", 1},
      {R"({"log":[)" + a + R"(,"x":1,)" + a + "]}", 2},
      {R"({"log":[)" + a + ",12", 1},
      {R"({"log":[)" + a + ",truex," + a + "]}", 1},
      {R"({"x":tru,"log":[)" + a + "]}", 0},
      {R"({"log":nope})", 0},
  };
  LogText log(test::aws());
  for (const Case& c : cases) {
    const auto read = log.parse(c.text);
    ASSERT_TRUE(read.has_value()) << c.text;
    EXPECT_EQ((*read)->entries.size(), c.entries) << c.text;
    EXPECT_NE((*read)->fault, "") << c.text;
  }
  const std::string text = log_of(both()) + "x";
  EXPECT_THAT(log.read(text).fault, HasSubstr(std::to_string(text.size() - 1)));
}

TEST(LogParser, RefusesWhatIsNoLog) {
  LogText log(test::aws());
  for (const std::string_view text : {"", " ", "\xEF\xBB\xBF", "[]", "null", "<html>", "\"log\"", R"({"log":{}})",
                                      R"({"log":"x"})", R"({"log":5})", R"({"log":true})"}) {
    const auto read = log.parse(text);
    ASSERT_TRUE(read.has_error()) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::kBadResponse) << text;
  }
}

// A gateway's words, a problem document, a service that is starting: read as empty logs they would end sessions.
TEST(LogParser, RefusesJsonThatNothingProvesToBeTheLog) {
  LogText log(test::aws());
  for (const std::string_view text :
       {"{}", R"({"log":null})", R"({"sessionId":null})", R"({"message":"The service is starting, try again later"})",
        R"({"type":"about:blank","title":"Service Unavailable","status":503})", R"({"results":[],"totalCount":0})",
        R"({"Log":[]})", R"({"sessionid":"s1","LOG":[]})", R"({"sessionId":"s1","Log":[{"message":"a"}]})",
        R"({"sessionId":"s1","log":null,"Log":[]})", R"({"id":"s1","status":"Running"})"}) {
    for (const std::string_view extra : {"", R"("\u0078":0)"}) {
      std::string response(text);
      if (!extra.empty()) response.insert(1, std::string(extra) + (text == "{}" ? "" : ","));
      const auto read = log.parse(response);
      ASSERT_TRUE(read.has_error()) << response;
      EXPECT_EQ(read.error().kind, ErrorKind::kBadResponse) << response;
      EXPECT_TRUE(read.error().worth_keeping) << response;
      EXPECT_THAT(read.error().detail, HasSubstr("no log")) << response;
    }
  }
}

TEST(LogParser, HoldsAnEmptyLogToItsArrayWhereTheDialectNamesNoSession) {
  Dialect dialect = test::aws();
  dialect.log.session_id.clear();
  LogText log(dialect);
  EXPECT_TRUE(log.parse(R"({"log":[]})").has_value());
  EXPECT_TRUE(log.parse(R"({"sessionId":"s1","log":null})").has_error());
  EXPECT_TRUE(log.parse(R"({"":"s1"})").has_error());
}

TEST(LogParser, SaysWhatBesideTheEntriesPromisesMoreOfThem) {
  const struct {
    std::string_view beside;
    bool more;
  } table[] = {
      {R"("total":3)", true},
      {R"("total":2)", false},
      {R"("total":1)", false},
      {R"("total":null)", false},
      {R"("total":"3")", false},
      {R"("TOTALCOUNT":450)", true},
      {R"("totalRecords":3.0)", true},
      {R"("count":3)", true},
      {R"("Count":2)", false},
      {R"("limit":2)", true},
      {R"("limit":30)", false},
      {R"("limit":1)", false},
      {R"("PageSize":2)", true},
      {R"("next":"/log?page=2")", true},
      {R"("next":null)", false},
      {R"("next":"")", false},
      {R"("next":false)", false},
      {R"("_links":{"self":{"href":"/log"},"next":{"href":"/log?page=2"}})", true},
      {R"("_links":{"self":{"href":"/log"},"next":null})", false},
      {R"("links":{"next":"/log?page=2"})", true},
      {R"("links":[{"rel":"next"}])", false},
      {R"("_links":{"self":{"href":"/log"}})", false},
      {R"("totals":3,"x":{"total":3})", false},
      {R"("total":null,"limit":2)", true},
  };
  LogText log(test::aws());
  for (const auto& row : table) {
    const std::string beside(row.beside);
    for (const std::string& text :
         {R"({"log":[)" + both() + "]," + beside + "}", "{" + beside + R"(,"\u0078":0,"log":[)" + both() + "]}"}) {
      const SessionLog& read = log.read(text);
      EXPECT_EQ(read.entries.size(), 2u) << text;
      EXPECT_EQ(!read.more_elsewhere.empty(), row.more) << text << read.more_elsewhere;
    }
  }
  EXPECT_EQ(log.read(R"({"sessionId":"s1","log":null,"total":2})").more_elsewhere,
            "it came with 0 entries, and \"total\" is 2");
  EXPECT_EQ(log.read(R"({"log":[],"limit":0})").more_elsewhere, "");
  EXPECT_EQ(log.read(R"({"log":[],"total":1,"next":)"
                     "tru}")
                .more_elsewhere,
            "")
      << "the fault says enough";
}

TEST(LogParser, RefusesTheLogOfAnotherSession) {
  struct Case {
    std::string_view named, asked;
    bool accepted;
  };
  const Case cases[] = {
      {R"("90FAA259")", "90faa259", true},
      {R"("90faa259")", "90FAA259", true},
      {R"("\u0039x")", "9x", true},
      {"42", "42", true},
      {"null", "42", true},
      {R"("90faa25")", "90faa259", false},
      {R"("90faa2590")", "90faa259", false},
      {"42", "43", false},
      {R"("")", "42", false},
      {R"({"id":"42"})", "42", false},
      {"true", "42", false},
  };
  LogParser parser;
  for (const Case& c : cases) {
    for (const std::string& text : {R"({"sessionId":)" + std::string(c.named) + R"(,"log":[]})",
                                    R"({"log":[],"sessionId":)" + std::string(c.named) + "}"}) {
      Body body;
      body.append(text);
      EXPECT_EQ(parser.parse(test::aws(), body, c.asked, 1).has_value(), c.accepted) << text;
    }
  }
}

TEST(LogParser, ChecksNoSessionWhereTheDialectNamesNone) {
  Dialect dialect = test::aws();
  dialect.log.session_id.clear();
  LogText log(dialect);
  for (const std::string_view key : {R"("")", R"("sessionId")", R"("\u0073essionId")"}) {
    EXPECT_TRUE(log.parse("{" + std::string(key) + R"(:"s2","log":[]})").has_value()) << key;
  }
}

TEST(LogParser, StartsAfreshWithEveryResponse) {
  LogText log(test::aws());
  EXPECT_EQ(log.read(R"({"log":[)" + both() + ",").entries.size(), 2u);
  EXPECT_TRUE(log.parse(R"({"sessionId":"s2","log":[]})").has_error());
  EXPECT_TRUE(log.parse(R"({"log":{}})").has_error());
  const SessionLog& read = log.read(R"({"log":[)" + std::string(kA) + "]}");
  EXPECT_EQ(read.entries.size(), 1u);
  EXPECT_EQ(read.fault, "");
}

std::string repeated(std::string_view element, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text.append(i == 0 ? "" : ",").append(element);
  return text;
}

// By simdjson and by the cursor: a byte that is no UTF-8 sends the response there.
TEST(LogParser, TakesOnlySoManyElementsThatAreNoEntries) {
  LogText log(test::aws());
  for (const std::string_view element : {"0", "{}", "[[]]", R"({"message":"no time"})"}) {
    for (const std::string_view tail : {"]}", "],\"x\":\"\xFF\"}"}) {
      const std::string most = R"({"log":[)" + std::string(kA) + "," + repeated(element, LogParser::kMostUnreadable);
      EXPECT_EQ(log.read(most + std::string(tail)).fault, "") << element;
      const SessionLog& read = log.read(most + "," + std::string(element) + "," + std::string(kB) + std::string(tail));
      EXPECT_THAT(read.fault, HasSubstr(std::to_string(most.size() + 1))) << element;
      EXPECT_EQ(read.entries.size(), LogParser::kMostUnreadable + 1) << element;
    }
  }
}

TEST(LogParser, RefusesMoreEntriesThanThereIsMemoryFor) {
  LogParser parser;
  for (const std::string_view tail : {"]}", "],\"x\":\"\xFF\"}"}) {
    Body body;
    body.append(R"({"log":[)" + repeated(kA, 5) + std::string(tail));
    EXPECT_TRUE(parser.parse(test::aws(), body, "s1", 1, {.entries = 5, .indexed_entries = 4}).has_value());
    const auto refused = parser.parse(test::aws(), body, "s1", 1, {.entries = 4, .indexed_entries = 2});
    ASSERT_TRUE(refused.has_error());
    EXPECT_EQ(refused.error().kind, ErrorKind::kBadResponse);
    EXPECT_THAT(refused.error().detail, HasSubstr("more than 4 entries"));
    EXPECT_THAT(refused.error().detail, HasSubstr("daemon.memory"));
  }
}

TEST(LogParser, ReadsTheSameWithoutAnIndex) {
  LogParser parser;
  Body body;
  body.append(log_of(both()));
  const auto read = parser.parse(test::aws(), body, "s1", 1, {.indexed_entries = 0});
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ((*read)->entries.size(), 2u);
  EXPECT_EQ((*read)->fault, "");
}

// Names and ids of megabytes, each byte of which would be three when decoded.
TEST(LogParser, IsNotDisturbedByEndlessNames) {
  LogText log(test::aws());
  const std::string endless(4u << 20, '\xFF');
  const SessionLog& read = log.read("{\"" + endless + "\":1,\"log\":[{\"" + endless + "\":2},{\"logTime\":\"" +
                                    endless + "\",\"status\":\"" + endless + "\"}]}");
  ASSERT_EQ(read.entries.size(), 2u);
  EXPECT_EQ(read.fault, "");
  EXPECT_TRUE(log.parse("{\"sessionId\":\"" + endless + "\",\"log\":[]}").has_error());
}

TEST(LogParser, ReadsTenThousandEntriesOfOneLogTime) {
  std::string text = R"({"log":[)";
  for (int i = 0; i < 10'000; ++i) text += (i == 0 ? "" : ",") + std::string(kA);
  LogText log(test::aws());
  const SessionLog& read = log.read(text + "]}");
  ASSERT_EQ(read.entries.size(), 10'000u);
  for (const Entry& entry : read.entries) ASSERT_EQ(entry.base, read.entries[0].base);
}

}  // namespace
}  // namespace sessionlogd
