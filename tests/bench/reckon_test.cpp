#include "bench/fleet/reckon.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "bench/fleet/appliance.h"
#include "bench/fleet/ledger.h"
#include "bench/fleet/script.h"
#include "tests/bench/begin.h"
#include "tests/bench/honest_reader.h"
#include "tests/support/read_text.h"

namespace fleet {
namespace {

std::string gap_line(const std::string& source, const std::string& session) {
  return fmt::format(
      R"({{"@timestamp":"2027-01-15T08:00:00Z","event":{{"id":"{:032x}","hash":"{:08x}"}},"sessionlog":{{"change":"gap","source":"{}","session_id":"{}"}}}})",
      1, 1, source, session);
}

// A small fleet, read honestly from beginning to end without a socket or a clock: time is a number here.
class Reckon : public testing::Test {
 protected:
  Reckon() : folder_(std::filesystem::temp_directory_path() / ("reckon_test." + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    plan_.seed = 77;
    plan_.appliances = 4;
    plan_.sessions = 6;
    plan_.entries = 25;
    plan_.begin = kBegin;
    plan_.mix.hostile = 0.02;
    plan_.mix.twin = 0.1;
    conduct_.password = "secret";
  }
  ~Reckon() override { std::filesystem::remove_all(folder_); }

  void read_fleet(Nanos every) {
    const Nanos end = kBegin + 10 * kSecond;
    std::vector<ApplianceRecord> records;
    for (std::size_t i = 0; i < plan_.appliances; ++i) {
      std::atomic<Nanos> freeze{kNever};
      Shared shared;
      Appliance appliance(plan_, conduct_, i, freeze, shared);
      HonestReader reader(appliance, dialect_of(plan_, i), source_name(plan_, i), conduct_.password, belief_);
      for (Nanos at = kBegin; at < end; at += every) reader.poll(at);
      freeze = end;
      for (Nanos at = end; at < end + 3 * kSecond; at += every) reader.poll(at);
      lines_.insert(lines_.end(), reader.lines().begin(), reader.lines().end());
      records.push_back(appliance.record(end + 3 * kSecond));
    }
    write_ledger(path("ledger"), plan_, records, end);
  }

  Verdict judge(bool exact) {
    std::ofstream file(path("events"), std::ios::trunc);
    for (const std::string& line : lines_) file << line << '\n';
    file.close();
    Reckoning how;
    how.exact = exact;
    return reckon(path("ledger"), {path("events")}, how);
  }

  std::string path(const char* name) const { return (folder_ / name).string(); }
  // The last line that holds `text`.
  std::vector<std::string>::iterator line_with(const std::string& text) {
    for (auto line = lines_.end(); line != lines_.begin();) {
      if ((--line)->find(text) != std::string::npos) return line;
    }
    return lines_.end();
  }

  std::filesystem::path folder_;
  Plan plan_;
  Conduct conduct_;
  Belief belief_ = Belief::nothing;
  std::vector<std::string> lines_;
};

TEST_F(Reckon, AgreesWithAnHonestReader) {
  read_fleet(200 * kMillisecond);
  const Verdict verdict = judge(true);
  EXPECT_TRUE(verdict.agrees()) << to_table(verdict);
  EXPECT_GT(verdict.events, verdict.entries);
  EXPECT_GT(verdict.errors_owed, 0u);
  EXPECT_EQ(verdict.errors_owed, verdict.errors_written);
}

TEST_F(Reckon, AgreesForManySeeds) {
  for (plan_.seed = 1; plan_.seed <= 8; ++plan_.seed) {
    lines_.clear();
    read_fleet(700 * kMillisecond);
    const Verdict verdict = judge(true);
    ASSERT_TRUE(verdict.agrees()) << "seed " << plan_.seed << '\n' << to_table(verdict);
  }
}

TEST_F(Reckon, AgreesWhenResponsesBreak) {
  plan_.faults = FaultMix::of_responses();
  read_fleet(200 * kMillisecond);
  const Verdict verdict = judge(false);
  EXPECT_TRUE(verdict.agrees()) << to_table(verdict);
}

double worst_share(const Misbehaviour& m) {
  if (m.fault == Fault::nested || m.fault == Fault::large_entry) return 0.005;
  if (m.fault == Fault::short_entries) return 0.05;
  return m.scope == Scope::response ? 0.2 : 0.7;
}

// Each fault alone and at its worst, and all together: whatever happens, an honest reader agrees with the ledger.
TEST_F(Reckon, AgreesUnderEveryFault) {
  for (const Misbehaviour& m : misbehaviours()) {
    if (m.part == Part::of_none) continue;
    plan_.faults = {};
    plan_.faults.set(m.fault, worst_share(m));
    lines_.clear();
    read_fleet(700 * kMillisecond);
    const Verdict verdict = judge(false);
    EXPECT_TRUE(verdict.agrees()) << m.name << '\n' << to_table(verdict);
    EXPECT_GT(verdict.events, 0u) << m.name;
  }
}

TEST_F(Reckon, AgreesUnderAllFaultsTogether) {
  plan_.faults = FaultMix::of_everything();
  for (plan_.seed = 1; plan_.seed <= 5; ++plan_.seed) {
    lines_.clear();
    read_fleet(500 * kMillisecond);
    const Verdict verdict = judge(false);
    EXPECT_TRUE(verdict.agrees()) << "seed " << plan_.seed << '\n' << to_table(verdict);
  }
}

// A reader that takes a session or an entry for another one when its time changes writes it again. An honest one does
// not: see above.
TEST_F(Reckon, FindsOutWhoBelievesTimes) {
  for (const auto& [fault, belief] : {std::pair(Fault::seven_digits, Belief::entries_keep_their_times),
                                      std::pair(Fault::ticks_without_start, Belief::entries_keep_their_times),
                                      std::pair(Fault::corrected_start, Belief::sessions_keep_their_start)}) {
    for (const bool strikes : {false, true}) {
      plan_.faults = {};
      if (strikes) plan_.faults.set(fault, 0.7);
      belief_ = belief;
      lines_.clear();
      read_fleet(200 * kMillisecond);
      EXPECT_EQ(judge(false).count(Verdict::repeated) > 0, strikes) << misbehaviour(fault).name;
    }
  }
}

TEST_F(Reckon, WritesTheSameLedgerForTheSameSeed) {
  plan_.faults = FaultMix::of_everything();
  const auto ledger = [&] {
    read_fleet(700 * kMillisecond);
    return sessionlogd::test::read_text(path("ledger"));
  };
  EXPECT_EQ(ledger(), ledger());
}

TEST_F(Reckon, AllowsOneGapForADeletedSessionOnly) {
  plan_.faults.set(Fault::vanish_session, 0.5);
  read_fleet(kSecond);
  std::size_t gaps = 0;
  std::ifstream ledger(path("ledger"));
  for (std::string line; std::getline(ledger, line);) {
    const std::size_t id = line.find("\"session\":\"");
    if (id == std::string::npos) continue;
    const std::string session = line.substr(id + 11, line.find('"', id + 11) - id - 11);
    const std::string source = line.substr(line.find("\"source\":\"") + 10, line.find("\",\"dialect") - 30);
    lines_.push_back(gap_line(source, session));
    const bool allowed = line.find("\"gaps\":1") != std::string::npos;
    EXPECT_EQ(judge(false).count(Verdict::unexpected_gap), allowed ? 0u : 1u) << line.substr(0, 200);
    if (!allowed) lines_.pop_back();
    gaps += allowed ? 1 : 0;
  }
  ASSERT_GT(gaps, 0u);
  lines_.push_back(lines_.back());
  EXPECT_EQ(judge(false).count(Verdict::unexpected_gap), 1u) << "a second one";
}

TEST_F(Reckon, FindsAnotherUnknownField) {
  plan_.faults.set(Fault::bigint, 0.5);
  read_fleet(kSecond);
  std::string& line = *line_with("\\\"big\\\":");
  line.replace(line.find("\\\"big\\\":") + 8, 19, "1234567890123456789");
  EXPECT_EQ(judge(false).count(Verdict::foreign), 1u);
}

TEST_F(Reckon, FindsARemovedLine) {
  read_fleet(kSecond);
  lines_.erase(line_with("\"status\":\"Warning\""));
  const Verdict verdict = judge(false);
  EXPECT_EQ(verdict.count(Verdict::lost), 1u) << to_table(verdict);
  EXPECT_EQ(verdict.faults.size(), 1u) << to_table(verdict);
}

TEST_F(Reckon, FindsARemovedErrorEvent) {
  read_fleet(kSecond);
  lines_.erase(line_with("\"change\":\"error\""));
  EXPECT_EQ(judge(false).count(Verdict::lost), 1u);
}

TEST_F(Reckon, FindsEachLineThatIsWrittenTwice) {
  read_fleet(kSecond);
  for (const char* of : {"\"status\":\"Success\"", "\"status\":\"Running\"", "\"change\":\"error\""}) {
    const auto line = line_with(of);
    ASSERT_NE(line, lines_.end()) << of;
    const auto added = lines_.insert(line + 1, std::string(*line));
    const Verdict verdict = judge(false);
    EXPECT_GE(verdict.count(Verdict::repeated), 1u) << of;
    lines_.erase(added);
  }
}

TEST_F(Reckon, FindsAStateUnderAnotherEventId) {
  read_fleet(kSecond);
  std::string line = *line_with("\"status\":\"Success\"");
  line.replace(line.find("\"id\":\"") + 6, 16, "0123456789abcdef");
  lines_.push_back(line);
  EXPECT_GE(judge(false).count(Verdict::repeated), 1u);
}

TEST_F(Reckon, FindsAChangedLine) {
  read_fleet(kSecond);
  std::string& line = *line_with("\"status\":\"Success\"");
  line.replace(line.find("\"Success\""), 9, "\"Warning\"");
  const Verdict verdict = judge(false);
  EXPECT_EQ(verdict.count(Verdict::foreign), 1u) << to_table(verdict);
  EXPECT_EQ(verdict.count(Verdict::lost), 1u) << to_table(verdict);
}

TEST_F(Reckon, FindsAForeignLine) {
  read_fleet(kSecond);
  std::string line = *line_with("\"status\":\"Success\"");
  line.insert(line.find("\"message\":\"") + 11, "never said: ");
  lines_.push_back(line);
  EXPECT_EQ(judge(false).count(Verdict::foreign), 1u);
}

TEST_F(Reckon, FindsStatesOutOfOrder) {
  plan_.mix.twin = 0;
  read_fleet(200 * kMillisecond);
  // The last event of an entry that had several is moved before the one before it.
  const auto id = [](const std::string& line) { return line.substr(line.find("\"id\":"), 39); };
  for (auto last = lines_.end() - 1; last != lines_.begin(); --last) {
    for (auto earlier = lines_.begin(); earlier != last; ++earlier) {
      if (id(*earlier) != id(*last)) continue;
      std::swap(*earlier, *last);
      EXPECT_GE(judge(false).count(Verdict::disordered), 1u);
      return;
    }
  }
  FAIL() << "no entry changed";
}

// An entry whose identity moved: the same number under more event ids than there are entries, though no form comes
// twice.
TEST_F(Reckon, FindsMoreEventIdsThanEntries) {
  plan_.mix.twin = 0;
  read_fleet(200 * kMillisecond);
  const auto id = [](const std::string& line) { return line.substr(line.find("\"id\":\"") + 6, 32); };
  for (auto last = lines_.end() - 1; last != lines_.begin(); --last) {
    const auto same = [&](const std::string& line) { return id(line) == id(*last); };
    if (std::none_of(lines_.begin(), last, same)) continue;
    last->replace(last->find("\"id\":\"") + 6, 16, "0123456789abcdef");
    EXPECT_GE(judge(false).count(Verdict::repeated), 1u);
    return;
  }
  FAIL() << "no entry changed";
}

// Twice the same with another form in between, as after a state that was forgotten.
TEST_F(Reckon, FindsAFormThatComesBack) {
  read_fleet(200 * kMillisecond);
  const auto id = [](const std::string& line) { return line.substr(line.find("\"id\":\"") + 6, 32); };
  for (auto last = lines_.end() - 1; last != lines_.begin(); --last) {
    const auto same = [&](const std::string& line) { return id(line) == id(*last); };
    const auto before = std::find_if(lines_.begin(), last, same);
    if (before == last) continue;
    lines_.push_back(std::string(*before));
    EXPECT_GE(judge(false).count(Verdict::repeated), 1u);
    return;
  }
  FAIL() << "no entry changed";
}

// A correction that is taken back: what the fleet served again is written again, or it is lost.
TEST_F(Reckon, WantsAFormAgainThatWasServedAgain) {
  plan_.mix.twin = 0;
  read_fleet(200 * kMillisecond);
  std::string ledger = sessionlogd::test::read_text(path("ledger"));
  constexpr std::string_view kTwoForms = R"("s":[[0,1],[1,1]])";
  const auto id = [](const std::string& line) { return line.substr(line.find("\"id\":\"") + 6, 32); };
  for (const std::string& first : lines_) {
    const std::size_t message = first.find("\"message\":\"") + 11;
    const std::string label(label_in(first.substr(message, first.find('"', message) - message)));
    const std::size_t number = ledger.find("{\"n\":\"" + label + '"');
    const std::size_t forms = ledger.find("\"s\":", number);
    const auto events = std::ranges::count_if(lines_, [&](const std::string& line) { return id(line) == id(first); });
    if (number == std::string::npos || events != 2 || ledger.compare(forms, kTwoForms.size(), kTwoForms) != 0) continue;
    ledger.replace(forms, kTwoForms.size(), R"("s":[[0,1],[1,1],[0,1]])");
    std::ofstream(path("ledger"), std::ios::trunc) << ledger;
    EXPECT_EQ(judge(false).count(Verdict::lost), 1u);
    lines_.push_back(std::string(first));
    const Verdict verdict = judge(true);
    EXPECT_TRUE(verdict.agrees()) << to_table(verdict);
    lines_.push_back(std::string(first));
    EXPECT_GE(judge(false).count(Verdict::repeated), 1u);
    return;
  }
  FAIL() << "no entry with two forms";
}

TEST_F(Reckon, FindsAnEntryUnderAnotherSession) {
  read_fleet(kSecond);
  const auto session = [](const std::string& line) { return line.find("\"session_id\":\"") + 14; };
  const auto line = line_with("\"source\":\"aws-0000\"");
  const auto other = std::find_if(lines_.begin(), lines_.end(), [&](const std::string& each) {
    return each.find("\"source\":\"aws-0000\"") != std::string::npos &&
           each.substr(session(each), 36) != line->substr(session(*line), 36);
  });
  ASSERT_NE(other, lines_.end());
  line->replace(session(*line), 36, other->substr(session(*other), 36));
  const Verdict verdict = judge(false);
  EXPECT_EQ(verdict.count(Verdict::foreign), 1u) << to_table(verdict);
}

TEST_F(Reckon, ForgivesALossOnlyForAGapThatWasDueAndIsThere) {
  plan_.faults.set(Fault::vanish_session, 0.5);
  read_fleet(200 * kMillisecond);
  std::map<std::string, bool> due;  // by session
  std::ifstream ledger(path("ledger"));
  for (std::string line; std::getline(ledger, line);) {
    const std::size_t id = line.find("\"session\":\"");
    if (id == std::string::npos || line.find("aws-") == std::string::npos) continue;
    due[line.substr(id + 11, 36)] = line.find("\"gaps\":1") != std::string::npos;
  }
  const std::vector<std::string> all = lines_;
  std::set<bool> tried;
  for (const auto& [session, was_due] : due) {
    lines_ = all;
    const auto line = line_with("\"session_id\":\"" + session);
    if (line == lines_.end() || !tried.insert(was_due).second) continue;
    const std::string source = line->substr(line->find("\"source\":\"") + 10, 8);
    lines_.erase(line);
    EXPECT_EQ(judge(false).count(Verdict::lost), 1u);
    lines_.push_back(gap_line(source, session));
    const Verdict verdict = judge(false);
    EXPECT_EQ(verdict.count(Verdict::lost), was_due ? 0u : 1u) << to_table(verdict);
    EXPECT_EQ(verdict.forgiven, was_due ? 1u : 0u);
  }
  EXPECT_EQ(tried.size(), 2u);
}

TEST_F(Reckon, FindsGarbageAndPassesPadding) {
  read_fleet(kSecond);
  lines_.insert(lines_.begin() + 3, "      ");
  EXPECT_TRUE(judge(false).agrees());
  lines_.insert(lines_.begin() + 3, R"({"@timestamp":"2027-01-15T08:00:00Z","event":{"id":)");
  EXPECT_EQ(judge(false).count(Verdict::unreadable), 1u);
}

}  // namespace
}  // namespace fleet
