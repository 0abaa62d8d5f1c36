#include "core/state/session_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "core/state/identity.h"
#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

constexpr std::uint64_t kSession = 77;
constexpr CompareRules kEmit;
constexpr CompareRules kEmitLast{.only_final = false, .last_read = true};
constexpr CompareRules kBroken{.only_final = false, .last_read = false, .whole = false};
constexpr CompareRules kFinal{.only_final = true, .last_read = false};
constexpr CompareRules kFinalLast{.only_final = true, .last_read = true};

// "A1" is an entry of identity A and content 1; "A1~" one whose status is not final.
std::vector<EntryDigest> response(std::string_view text) {
  std::vector<EntryDigest> entries;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') {
      entries.push_back({static_cast<std::uint64_t>(c) * 1'000'003, 0, true});
    } else if (c == '~') {
      entries.back().final = false;
    } else if (c != ' ') {
      entries.back().hash = static_cast<std::uint32_t>(c);
    }
  }
  return entries;
}

// Reads responses one after the other; says of each what was emitted: "+0:A" new (ordinal and identity), "*" changed.
class Reading {
 public:
  std::string read(const std::vector<EntryDigest>& entries, CompareRules rules = kEmit) {
    std::string text;
    const std::vector<Emission>& emissions = comparer_.compare(history_, entries, kSession, rules);
    for (const Emission& emission : emissions) {
      const EntryDigest& entry = entries[emission.index];
      EXPECT_EQ(emission.hash, entry.hash);
      std::uint32_t ordinal = 0;
      while (ordinal < 100 && twin_key(entry.base, ordinal, kSession) != emission.key) ++ordinal;
      if (emission.change == Change::kChanged) {
        EXPECT_EQ(history_.key(emission.position), emission.key);
      }
      text += text.empty() ? "" : " ";
      text += emission.change == Change::kNew ? '+' : '*';
      text += static_cast<char>(entry.base / 1'000'003);
      if (ordinal != 0) text += "#" + std::to_string(ordinal);
      text += static_cast<char>(entry.hash);
    }
    for (const Emission& emission : emissions) history_.advance(emission);
    return text;
  }
  std::string read(std::string_view text, CompareRules rules = kEmit) { return read(response(text), rules); }
  const SessionHistory& history() const { return history_; }

 private:
  SessionHistory history_;
  HistoryComparer comparer_;
};

struct HistoryStep {
  std::string_view response, emitted;
  CompareRules rules = kEmit;
};

void expect(std::initializer_list<HistoryStep> steps) {
  Reading reading;
  int number = 0;
  for (const HistoryStep& step : steps) {
    EXPECT_EQ(reading.read(step.response, step.rules), step.emitted) << "step " << number << ": " << step.response;
    EXPECT_EQ(reading.read(step.response, step.rules), "") << "step " << number << ", again: " << step.response;
    ++number;
  }
}

TEST(SessionHistory, EmitsEveryEntryOnce) { expect({{"", ""}, {"A1", "+A1"}, {"A1 B1", "+B1"}, {"A1 B1 C1", "+C1"}}); }

TEST(SessionHistory, FindsWhatComesLateAnywhere) {
  expect({{"B1 D1", "+B1 +D1"}, {"A1 B1 C1 D1", "+A1 +C1"}, {"A1 B1 C1 D1 E1", "+E1"}, {"Z1 A1 B1 C1 D1 E1", "+Z1"}});
}

TEST(SessionHistory, EmitsInOrderOfTheResponse) {
  expect({{"C1 A1 B1", "+C1 +A1 +B1"}, {"D1 B2 C1 A2", "+D1 *B2 *A2"}, {"X1 A2 X2 Y1 X3", "+X1 +X#12 +Y1 +X#23"}});
}

TEST(SessionHistory, EmitsNothingOfAReshuffle) {
  expect({{"A1 B1 C1 A2 A1", "+A1 +B1 +C1 +A#12 +A#21"},
          {"C1 A1 B1 A1 A2", ""},
          {"A2 A1 A1 B1 C1", ""},
          {"B1 A1 C1 A2 A1", ""}});
}

TEST(SessionHistory, EmitsAChangeUnderTheSameKey) {
  expect({{"A1 B1", "+A1 +B1"}, {"A2 B1", "*A2"}, {"A1 B1", "*A1"}, {"A3 B2", "*A3 *B2"}});
}

TEST(SessionHistory, KeepsWhatVanishesUntilItReturns) {
  expect({{"A1 B1 C1", "+A1 +B1 +C1"}, {"B1", ""}, {"", ""}, {"A1 B1 C1", ""}, {"C1", ""}, {"A2 C1", "*A2"}});
}

TEST(SessionHistory, PairsTwins) {
  expect({{"A1 A1", "+A1 +A#11"}, {"A1", ""}, {"A1 A1 A1", "+A#21"}});         // equal
  expect({{"A1 A2", "+A1 +A#12"}, {"A2 A1", ""}, {"A2 A3", "*A3"}});           // one equal, one changed
  expect({{"A1 A2 A3", "+A1 +A#12 +A#23"}, {"A4 A5 A3", "*A4 *A#15"}});        // the rest in order
  expect({{"A1 A2", "+A1 +A#12"}, {"A3", "*A3"}, {"A3 A2", ""}, {"A2", ""}});  // one vanishes as one changes
  expect({{"A1", "+A1"}, {"A2 A1", "+A#12"}, {"A1 A3 A2", "+A#23"}});          // a new one before the known one
  expect({{"A1", "+A1"}, {"A2 A3", "*A2 +A#13"}});                             // changed first, then new
  expect({{"A1 B1 A2 B2", "+A1 +B1 +A#12 +B#12"}, {"B2 A2 B3 A1", "*B3"}});    // groups do not mix
  expect({{"A1 A2 A3", "+A1 +A#12 +A#23"},
          {"A2", ""},
          {"A2 A4", "*A4"},
          {"A2 A4 A3", ""}});  // the kept ones pair in order
}

TEST(SessionHistory, CountsWhatIsNotDueYet) {
  HistoryComparer comparer;
  const EntryDigest response[] = {{1, 1, true}, {2, 1, false}, {3, 1, false}};
  comparer.compare({}, response, 9, kFinal);
  EXPECT_EQ(comparer.held_back(), 2u);
  comparer.compare({}, response, 9, kFinalLast);
  EXPECT_EQ(comparer.held_back(), 0u);
}

TEST(SessionHistory, ABrokenResponseDoesNotTellWhichTwinHasChanged) {
  expect({{"A1 A2 B1", "+A1 +A#12 +B1"}, {"A3 B2", "*B2", kBroken}, {"A1 A3 B2", "*A#13"}});
  expect({{"A1 A2", "+A1 +A#12"}, {"A2 A3", "", kBroken}, {"A2 A3 A1", "+A#23"}});
  expect({{"A1", "+A1"}, {"A2 C1", "*A2 +C1", kBroken}});                                // no twins, no doubt
  expect({{"A1 A1", "+A1 +A#11"}, {"A1 A1 A1 A2", "+A#21 +A#32", kBroken}});             // all that are known are there
  expect({{"A1 A2", "+A1 +A#12"}, {"A2 A3", "", {.last_read = true, .whole = false}}});  // it is read again
}

// After a power cut the second of two twins may be on the disk and the first not.
TEST(SessionHistory, FillsHolesAmongTwins) {
  SessionHistory history;
  const std::uint64_t base = response("A1")[0].base;
  history.append(twin_key(base, 1, kSession), '1', 0);
  history.append(twin_key(base, 3, kSession), '1', 0);
  HistoryComparer comparer;
  std::vector<std::uint64_t> keys;
  for (const Emission& emission : comparer.compare(history, response("A1 A1 A1 A1 A1"), kSession, kEmit)) {
    EXPECT_EQ(emission.change, Change::kNew);
    keys.push_back(emission.key);
  }
  EXPECT_EQ(keys, (std::vector<std::uint64_t>{twin_key(base, 0, kSession), twin_key(base, 2, kSession),
                                              twin_key(base, 4, kSession)}));
}

TEST(SessionHistory, EmitsSixteenChangesThenOnlyTheLastRead) {
  Reading reading;
  reading.read("A0 B0");
  for (int i = 1; i <= 16; ++i) {
    const std::string state(1, static_cast<char>('a' + i));
    ASSERT_EQ(reading.read("A" + state + "B0"), "*A" + state);
  }
  EXPECT_EQ(reading.history().changes(0), SessionHistory::kMostChanges);
  EXPECT_EQ(reading.read("A9 B0"), "");
  EXPECT_EQ(reading.read("A9 B1"), "*B1");
  EXPECT_EQ(reading.read("A8 B1", kEmitLast), "*A8");
  EXPECT_EQ(reading.read("A8 B1", kEmitLast), "");
  EXPECT_EQ(reading.history().changes(0), SessionHistory::kMostChanges);
}

TEST(SessionHistory, EmitsOnlyWhatIsFinalWhereOnlyThatIsWanted) {
  expect({{"A1~ B1", "+B1", kFinal},
          {"A2~ B2", "", kFinal},
          {"A3 B2", "+A3", kFinal},
          {"A4 B3", "", kFinal},
          {"A5~ B4~", "", kFinalLast}});
  expect({{"A1~ B1~", "", kFinal}, {"A1~ B1~", "+A1 +B1", kFinalLast}});
  expect({{"A1~ A2", "+A2", kFinal}, {"A2 A1~", "", kFinal}, {"A3 A2", "+A#13", kFinal}, {"A2 A3", "", kFinal}});
  expect({{"A1~ A2", "+A2", kFinal}, {"A1~ A9", "", kFinal}, {"A1~ A9", "+A#11", kFinalLast}});
}

// As when `changes` is set from "emit" to "final", or the session runs again after its last read.
TEST(SessionHistory, EmitsTheEndOfWhatWasEmittedWhileItRanWhereOnlyThatIsWanted) {
  expect({{"A1~ B1 C1~", "+A1 +B1 +C1"}, {"A2 B2 C2~", "*A2", kFinal}, {"A3 B2 C3", "*C3", kFinal}});
  expect({{"A1~", "+A1", kFinalLast}, {"A2", "*A2", kFinal}, {"A3", "", kFinal}});
  Reading reading;
  reading.read("A0~");
  for (int i = 1; i <= 16; ++i) reading.read("A" + std::string(1, static_cast<char>('a' + i)) + "~");
  EXPECT_EQ(reading.read("A8~"), "") << "it has changed too often";
  EXPECT_EQ(reading.read("A9"), "*A9") << "it ends";
  EXPECT_EQ(reading.read("A8"), "");
}

// What the entries of a response were: by name, "a7" for what is known by identity 'a' and hash '7'.
class Formerly : public FormerReadings {
 public:
  explicit Formerly(std::vector<FormerDigest> digests) : digests_(std::move(digests)) {}
  FormerDigest former(std::uint32_t index) override {
    ++asked;
    return digests_.at(index);
  }
  int asked = 0;

 private:
  std::vector<FormerDigest> digests_;
};

constexpr std::uint64_t id(char c) { return static_cast<std::uint64_t>(c) * 1'000'003; }

std::string compared(SessionHistory& history, std::string_view text, std::vector<FormerDigest> formerly,
                     CompareRules rules = kEmit) {
  HistoryComparer comparer;
  Formerly former(std::move(formerly));
  std::string said;
  const std::vector<Emission> emissions = comparer.compare(history, response(text), kSession, rules, &former);
  for (const Emission& emission : emissions) {
    said += said.empty() ? "" : " ";
    said += emission.change == Change::kNew ? '+' : emission.change == Change::kChanged ? '*' : '=';
    said += std::to_string(emission.index);
    if (emission.change != Change::kNew) {
      EXPECT_EQ(history.key(emission.position), emission.key) << "it keeps its key";
    }
    history.advance(emission);
  }
  return said;
}

TEST(SessionHistory, FindsAgainWhatIsReadInAnotherWayThanItWas) {
  SessionHistory history;
  history.append(id('a'), '7', 0);
  history.append(id('b'), '8', 0);
  // A was a with the hash 7; B was b, and says something else; C is news; D was rounded from e.
  const std::vector<FormerDigest> formerly{{id('a'), 0, '7'}, {id('b'), 0, '9'}, {id('c'), 0, '1'}, {0, id('e'), '0'}};
  EXPECT_EQ(compared(history, "A1 B2 C3", formerly), "=0 *1 +2");
  EXPECT_EQ(history.hash(0), std::uint32_t{'1'}) << "adopted";
  EXPECT_EQ(history.changes(0), 0);
  EXPECT_EQ(compared(history, "A1 B2 C3", formerly), "") << "known under the keys they had";
  history.append(id('e'), '4', 0);
  EXPECT_EQ(compared(history, "A1 B2 C3 D4", formerly), "");
  EXPECT_EQ(compared(history, "A1 B2 C3 D5", formerly), "*3");
}

TEST(SessionHistory, AdoptsWhatOnlyReadsInAnotherWayUnderItsOwnKey) {
  SessionHistory history;
  history.append(id('A'), '7', 0);
  EXPECT_EQ(compared(history, "A1", {{id('A'), id('x'), '7'}}), "=0");
  EXPECT_EQ(compared(history, "A2", {{id('A'), id('x'), '8'}}), "*0");
}

// Entries without a start had their log times for an identity, and are twins now.
TEST(SessionHistory, FindsAgainTwinsThatWereNone) {
  SessionHistory history;
  history.append(id('a'), '1', 0);
  history.append(id('b'), '1', 0);
  std::vector<FormerDigest> formerly{{id('a'), 0, '1'}, {id('b'), 0, '1'}, {id('c'), 0, '1'}, {id('d'), 0, '1'}};
  EXPECT_EQ(compared(history, "A1 A1 A1", formerly), "+2");
  EXPECT_EQ(compared(history, "A1 A1 A1", formerly), "");
  EXPECT_EQ(compared(history, "A1 A1 A1 A1", formerly), "+3")
      << "of equal hash, and one of them is known by its own key";
  EXPECT_EQ(compared(history, "A1 A1 A1 A1", formerly), "");
  EXPECT_EQ(history.size(), 4u);
}

TEST(SessionHistory, FindsAgainTwinsWhoseTimesLostADigit) {
  SessionHistory history;
  history.append(id('a'), '1', 0);
  history.append(twin_key(id('a'), 1, kSession), '2', 0);
  const std::vector<FormerDigest> formerly{{id('a'), 0, '2'}, {id('a'), 0, '1'}};
  EXPECT_EQ(compared(history, "A8 A9", formerly), "=0 =1") << "in the other order";
  EXPECT_EQ(history.hash(0), std::uint32_t{'9'});
}

TEST(SessionHistory, FindsAgainTwinsOfWhichOneCameAfterTheUpgrade) {
  SessionHistory history;
  history.append(id('a'), '1', 0);
  history.append(twin_key(id('a'), 1, kSession), '2', 0);
  history.append(twin_key(id('a'), 2, kSession), '3', 0);
  history.append(id('A'), '4', 0);  // as it is read now
  EXPECT_EQ(
      compared(history, "A4 A2 A3 A5", {{id('a'), 0, '4'}, {id('a'), 0, '2'}, {id('a'), 0, '3'}, {id('a'), 0, '5'}}),
      "*3");
}

TEST(SessionHistory, TakesNothingThatTheResponseShowsForWhatAnotherWas) {
  SessionHistory history;
  history.append(id('A'), '1', 0);
  EXPECT_EQ(compared(history, "A1 B1", {{id('A'), 0, '1'}, {0, id('A'), '1'}}), "+1");
  EXPECT_EQ(compared(history, "C1 A2", {{0, id('A'), '1'}, {id('A'), 0, '2'}}), "+0 *1") << "also where it has changed";
}

TEST(SessionHistory, AsksForFormerReadingsOnlyWhereTheResponseLacksWhatIsKnown) {
  SessionHistory history;
  HistoryComparer comparer;
  Formerly former({{1, 1, 1}, {2, 2, 2}, {3, 3, 3}});
  for (const Emission& emission : comparer.compare(history, response("A1 B1"), kSession, kEmit, &former))
    history.advance(emission);
  EXPECT_TRUE(comparer.compare(history, response("B1 A1"), kSession, kEmit, &former).empty());
  EXPECT_EQ(comparer.compare(history, response("A1 B1 C1"), kSession, kEmit, &former).size(), 1u);
  EXPECT_EQ(former.asked, 0);
  EXPECT_EQ(comparer.compare(history, response("A1 C1"), kSession, kEmit, &former).size(), 1u);
  EXPECT_EQ(former.asked, 1);
}

TEST(SessionHistory, KnowsEntriesByTheirFingerprints) {
  Reading before;
  before.read("A1 B2 C3 A4");
  SessionHistory history = SessionHistory::of(before.history().fingerprints());
  EXPECT_EQ(history.fingerprints(), before.history().fingerprints());
  EXPECT_EQ(history.sum(), before.history().sum());
  EXPECT_TRUE(history.knows(before.history().key(3)));
  EXPECT_FALSE(history.knows(before.history().key(3) + 1));
  HistoryComparer comparer;
  EXPECT_TRUE(comparer.compare(history, response("A1 B2 C3 A4"), kSession, kEmit).empty());
  EXPECT_EQ(comparer.recognised(), 4u);
  EXPECT_TRUE(comparer.compare(history, response("A4 C3"), kSession, kEmit).empty());
  const std::vector<EntryDigest> news = response("B5 A1 D6 A4 A7 C3");
  const std::vector<Emission> emissions = comparer.compare(history, news, kSession, kEmit);
  ASSERT_EQ(emissions.size(), 3u);
  EXPECT_EQ(emissions[0].change, Change::kChanged);
  EXPECT_EQ(emissions[0].key, before.history().key(1)) << "whole, though the history has half of it";
  EXPECT_EQ(emissions[1].key, news[2].base);
  EXPECT_EQ(emissions[2].key, twin_key(news[1].base, 2, kSession));
  for (const Emission& emission : emissions) history.advance(emission);
  EXPECT_TRUE(comparer.compare(history, news, kSession, kEmit).empty());
  EXPECT_EQ(history.changes(1), 1);
}

TEST(SessionHistory, TellsFingerprintsOfOneHalfApart) {
  const std::uint64_t one = std::uint64_t{1} << 32 | 5, other = std::uint64_t{2} << 32 | 5;
  SessionHistory history = SessionHistory::of(std::vector<Fingerprint>{{5, '1'}, {5, '2'}});
  HistoryComparer comparer;
  EXPECT_TRUE(comparer.compare(history, std::vector<EntryDigest>{{one, '1', true}, {other, '2', true}}, kSession, kEmit)
                  .empty());
}

TEST(SessionHistory, HasASumThatNoOrderChanges) {
  Reading one, other;
  one.read("A1 B2 C3");
  other.read("C3 A1");
  EXPECT_NE(one.history().sum(), other.history().sum());
  other.read("B2");
  EXPECT_EQ(one.history().sum(), other.history().sum());
  other.read("B4");
  EXPECT_NE(one.history().sum(), other.history().sum());
  EXPECT_EQ(SessionHistory().sum(), 0u);
}

TEST(SessionHistory, TakesThousandsOfTwins) {
  std::vector<EntryDigest> entries;
  for (std::uint32_t i = 0; i < 10'000; ++i) entries.push_back({5, i, true});
  HistoryComparer comparer;
  SessionHistory history;
  for (const Emission& emission : comparer.compare(history, entries, kSession, kEmit)) history.advance(emission);
  ASSERT_EQ(history.size(), entries.size());
  std::reverse(entries.begin(), entries.end());
  EXPECT_TRUE(comparer.compare(history, entries, kSession, kEmit).empty());
}

constexpr std::uint32_t kPaired = 0xFFFFFFFF;

// core/README.md, "Identity, change, order", word by word, in quadratic time.
std::map<std::size_t, std::pair<std::uint64_t, bool>> model(const SessionHistory& history,
                                                            const std::vector<EntryDigest>& entries,
                                                            CompareRules rules) {
  std::map<std::size_t, std::pair<std::uint64_t, bool>> emitted;  // index -> key, changed
  std::set<std::size_t> used, served;
  const auto position = [&](std::uint64_t key) {
    for (std::size_t i = 0; i < history.size(); ++i) {
      if (history.key(i) == key) return i;
    }
    return history.size();
  };
  const auto each_known = [&](std::uint64_t base, auto pairs) {
    for (std::uint32_t ordinal = 0;; ++ordinal) {
      const std::size_t at = position(twin_key(base, ordinal, kSession));
      if (at == history.size()) return ordinal;
      if (!used.contains(at) && pairs(at)) {
        used.insert(at);
        return kPaired;
      }
    }
  };
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (each_known(entries[i].base, [&](std::size_t at) { return history.hash(at) == entries[i].hash; }) == kPaired)
      served.insert(i);
  }
  std::map<std::uint64_t, std::uint32_t> added;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (served.contains(i)) continue;
    const EntryDigest& entry = entries[i];
    std::size_t paired = history.size();
    const std::uint32_t ordinals = each_known(entry.base, [&](std::size_t at) { return paired = at, true; });
    if (paired != history.size()) {
      if (history.changes(paired) < SessionHistory::kMostChanges || rules.last_read)
        emitted[i] = {history.key(paired), true};
    } else {
      emitted[i] = {twin_key(entry.base, ordinals + added[entry.base]++, kSession), false};
    }
  }
  return emitted;
}

TEST(SessionHistory, AgreesWithANaiveModel) {
  std::mt19937_64 random(test::random_seed());
  for (int run = 0; run < 300; ++run) {
    SessionHistory history;
    HistoryComparer comparer;
    for (int poll = 0; poll < 30; ++poll) {
      std::vector<EntryDigest> entries;
      for (std::uint64_t i = random() % 12; i-- > 0;)
        entries.push_back({1 + random() % 5, static_cast<std::uint32_t>(random() % 4), true});
      const CompareRules rules{.only_final = false, .last_read = random() % 10 == 0};
      const auto expected = model(history, entries, rules);
      std::map<std::size_t, std::pair<std::uint64_t, bool>> emitted;
      const std::vector<Emission> emissions = comparer.compare(history, entries, kSession, rules);
      for (const Emission& emission : emissions)
        emitted[emission.index] = {emission.key, emission.change == Change::kChanged};
      ASSERT_EQ(emitted, expected) << "run " << run << ", poll " << poll;
      for (const Emission& emission : emissions) history.advance(emission);
    }
  }
}

}  // namespace
}  // namespace sessionlogd
