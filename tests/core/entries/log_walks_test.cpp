// The two ways through a response, simdjson and core/json_text, must read the same. A key with an escape, in the
// envelope and of no meaning, is what sends a response the second way. So must a way past what is known by its bytes.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/core/entries/log_text.h"
#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using Random = std::mt19937_64;

std::string one_of(Random& random, const std::vector<std::string>& texts) { return texts[random() % texts.size()]; }

std::string random_value(Random& random, int depth) {
  if (depth < 3 && random() % 4 == 0) {
    const bool object = random() % 2 == 0;
    std::string text = object ? "{" : "[";
    for (std::uint64_t i = 0, count = random() % 3; i < count; ++i) {
      text += (i == 0 ? "" : " , ") + (object ? "\"k" + std::to_string(i) + "\": " : std::string()) +
              random_value(random, depth + 1);
    }
    return text + (object ? "}" : " ]");
  }
  return one_of(random, {"null", "true", "false", "0", "-1.5e3", "99999999999999999999999", R"("")", R"("text")",
                         R"("\u0041\n")", R"("]},{")", R"("2020-06-20T19:12:00.5")", R"("2020-06-20T19:12:01Z")",
                         R"("Success")", R"("Running")", R"("\ud83d")"});
}

std::string random_entry(Random& random) {
  if (random() % 20 == 0) return random_value(random, 0);
  std::string text = "{";
  for (std::uint64_t i = 0, count = random() % 8; i < count; ++i) {
    const std::string key = one_of(random, {"logTime", "status", "message", "executionStartTime", "executionDuration",
                                            "x", "", "log", "logTimes"});
    const bool usual = random() % 4 != 0;
    text += i == 0 ? "" : one_of(random, {",", " ,\n"});
    text += "\"" + key + "\"" + one_of(random, {":", " : "});
    text += usual && key.ends_with("Time") ? R"("2020-06-20T19:12:00.5")"
            : usual && key == "status"     ? R"("Success")"
                                           : random_value(random, 0);
  }
  return text + one_of(random, {"}", " }"});
}

// Behind "{": what a log response holds, sometimes damaged by one byte.
std::string random_members(Random& random) {
  std::string text;
  for (std::uint64_t i = 0, count = random() % 3; i < count; ++i) text += "\"y\":" + random_value(random, 0) + ",";
  if (random() % 8 == 0) text += R"("log":null,)";
  text += R"("log": [)";
  for (std::uint64_t i = 0, count = random() % 6; i < count; ++i) text += (i == 0 ? "" : ",") + random_entry(random);
  text += one_of(random, {"]", R"(],"sessionId":"S1")", R"(],"z":)" + random_value(random, 0)}) + "}" +
          one_of(random, {"", "", "\n"});
  if (random() % 3 == 0) {
    const std::size_t at = random() % text.size();
    switch (random() % 3) {
      case 0:
        text.erase(at, 1);
        break;
      case 1:
        text[at] = "{}[],:\"\\ x1\n"[random() % 12];
        break;
      case 2:
        text.resize(at);
        break;
    }
  }
  return text;
}

std::string described(const Entry& entry) {
  std::string text = std::string(entry.raw) + " base=" + std::to_string(entry.base) +
                     " hash=" + std::to_string(entry.hash) + (entry.final ? " final" : "");
  for (std::size_t i = 0; i < kEntryFields; ++i) text.append("|").append(entry.field(i));
  return text + (entry.fault != nullptr ? entry.fault : "");
}

std::string described(const Result<const SessionLog*>& read) {
  if (read.has_error()) return read.error().detail;
  std::string text = (*read)->fault.empty() ? "whole" : "broken";
  for (const Entry& entry : (*read)->entries) text += "\n" + described(entry);
  return text;
}

TEST(LogWalks, ReadTheSame) {
  Random random(test::random_seed());
  test::LogText log(test::aws());
  int whole = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::string members = random_members(random);
    const std::string fast = described(log.parse(R"({"xxxxxx":0,)" + members));
    const std::string slow = described(log.parse(R"({"\u0078":0,)" + members));
    ASSERT_EQ(fast, slow) << members;
    whole += fast.starts_with("whole");
  }
  EXPECT_GT(whole, 5'000);
}

TEST(LogWalks, ReadTheSameOfEntriesThatAreKnownByTheirBytes) {
  Random random(test::random_seed());
  test::LogText log(test::aws());
  KnownEntries known(64u << 10);
  const Remembered remembered{&known, test::kSessionKey};
  int known_entries = 0;
  for (int i = 0; i < 30'000; ++i) {
    const std::string text = "{" + random_members(random);
    const std::string plain = described(log.parse(text));
    for (int time = 0; time < 2; ++time) {
      const auto read = log.parse(text, remembered);
      for (std::size_t at = 0; read.has_value() && at < (*read)->entries.size(); ++at) {
        const Entry found = (*read)->entries[at];
        log.complete(at);
        const Entry& entry = (*read)->entries[at];
        known_entries += found.known;
        ASSERT_TRUE(found.base == entry.base && found.hash == entry.hash && found.final == entry.final) << text;
      }
      ASSERT_EQ(described(read), plain) << text;
    }
  }
  EXPECT_GT(known_entries, 5'000);
}

TEST(KnownEntries, AreOfOneSessionAndOneWayToReadIt) {
  test::LogText log(test::aws());
  KnownEntries known(64u << 10);
  constexpr std::string_view kResponse = R"({"log":[{"logTime":"2020-06-20T19:12:00","status":"Success"}]})";
  for (const std::uint64_t reading : {1u, 2u}) {
    EXPECT_FALSE(log.parse(kResponse, {&known, reading}).value()->entries[0].known);
    EXPECT_TRUE(log.parse(kResponse, {&known, reading}).value()->entries[0].known);
  }
}

// Entries whose fingerprints all want the same place fill the one beside it, too.
TEST(KnownEntries, FillAPairOfBucketsBeforeAnyIsForgotten) {
  KnownEntries known(4 * 64);
  const auto all_of = [&](std::uint64_t count) {
    std::uint64_t found = 0;
    for (std::uint64_t i = 1; i <= count; ++i) {
      const auto digest = known.find(i << 32);
      found += digest && digest->base == i && digest->hash == i + 1 && digest->final == (i % 2 == 0) ? 1 : 0;
    }
    return found;
  };
  for (std::uint64_t i = 1; i <= 6; ++i) {
    for (int again = 0; again < 2; ++again) known.remember(i << 32, {i, static_cast<std::uint32_t>(i + 1), i % 2 == 0});
    EXPECT_EQ(all_of(6), i);
  }
  known.remember(std::uint64_t{7} << 32, {7, 8, false});
  EXPECT_EQ(all_of(7), 6u);
  EXPECT_TRUE(known.find(std::uint64_t{7} << 32));
}

TEST(KnownEntries, CountAgainstTheMostThatAreTaken) {
  KnownEntries known(64u << 10);
  std::string response = R"({"log":[)";
  for (int i = 0; i < 40; ++i) {
    response += i == 0 ? "" : " , ";
    response += fmt::format(R"({{"logTime":"2020-06-20T19:12:{:02}","status":"Success"}})", i);
  }
  Body body;
  body.append(response + "]}");
  LogParser parser;
  for (const bool is_known : {false, true}) {
    EXPECT_TRUE(
        parser.parse(test::aws(), body, "s1", 1, {.entries = 39, .indexed_entries = 39}, {&known, 1}).has_error());
    const SessionLog& log =
        *parser.parse(test::aws(), body, "s1", 1, {.entries = 40, .indexed_entries = 40}, {&known, 1}).value();
    ASSERT_EQ(log.entries.size(), 40u);
    EXPECT_EQ(log.entries[39].known, is_known);
  }
}

// What cannot be read is said again each time, by why.
TEST(KnownEntries, HoldNoneThatCannotBeRead) {
  test::LogText log(test::aws());
  KnownEntries known(64u << 10);
  for (int time = 0; time < 2; ++time) {
    const SessionLog& read = *log.parse(R"({"log":[{"logTime":"yesterday","status":"Success"}]})", {&known, 1}).value();
    EXPECT_FALSE(read.entries[0].known);
    EXPECT_NE(read.entries[0].fault, nullptr);
  }
}

}  // namespace
}  // namespace sessionlogd
