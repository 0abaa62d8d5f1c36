// The configuration changes under the running daemon: by `sessionlogd reload` and by SIGHUP.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>
#include <optional>
#include <random>

#include "tests/daemon/appliance.h"
#include "tests/daemon/simulated_fleet.h"
#include "tests/daemon/workplace.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;

class Reload : public testing::Test {
 protected:
  Reload() {
    place_.write("password", "secret");
    place_.write("other", "another");
  }

  std::string source(const Appliance& appliance, const std::string& name, std::string_view more = "") const {
    return appliance.source(name, "file:" + (place_ / "password").string()) + std::string(more);
  }
  // Events of a source that are written.
  std::size_t written_of(const std::string& name) const {
    std::size_t count = 0;
    for (const std::string& line : place_.lines())
      count += line.find(fmt::format("\"sessionlog\":{{\"record\":\"entry\",\"source\":\"{}\"", name)) != line.npos;
    return count;
  }
  testing::AssertionResult writes(const std::string& name, std::size_t count) {
    const bool did = eventually([&] { return written_of(name) >= count; });
    if (did && written_of(name) == count) return testing::AssertionSuccess();
    return testing::AssertionFailure() << written_of(name) << " events of " << name << " instead of " << count;
  }

  Workplace place_;
  Appliance a_, b_;
};

TEST_F(Reload, AddsAndRemovesSourcesAndLeavesTheOthersAlone) {
  place_.configure(source(a_, "a") + source(b_, "b"));
  Child daemon = place_.start("run");
  ASSERT_TRUE(writes("a", 1)) << daemon.err();
  ASSERT_TRUE(writes("b", 1)) << daemon.err();

  Appliance c;
  place_.configure(source(a_, "a") + source(c, "c"));
  const Outcome reloaded = place_.run("reload");
  EXPECT_EQ(reloaded.status, 0) << reloaded.err;
  EXPECT_NE(reloaded.out.find("1 sources added, 0 changed, 1 removed, 1 unchanged"), std::string::npos) << reloaded.out;
  EXPECT_TRUE(writes("c", 1)) << daemon.err();
  EXPECT_TRUE(eventually([&] { return b_.returned() == b_.issued(); })) << "it was not logged out";
  const int reads = b_.logs_read();

  a_.sessions = 2;
  EXPECT_TRUE(writes("a", 2)) << daemon.err();
  EXPECT_EQ(a_.issued().size(), 1u) << "an unchanged source keeps its token";
  EXPECT_EQ(b_.logs_read(), reads) << "a removed source is polled";
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

TEST_F(Reload, ChangesASourceWithoutRepeatingAnything) {
  place_.configure(source(a_, "a"));
  Child daemon = place_.start("run");
  ASSERT_TRUE(writes("a", 1)) << daemon.err();

  place_.configure(source(a_, "renamed", "id = \"a\"\nlabels = { site = \"fra1\" }\n"));
  const Outcome reloaded = place_.run("reload");
  EXPECT_NE(reloaded.out.find("0 sources added, 1 changed, 0 removed"), std::string::npos)
      << reloaded.out << reloaded.err;
  a_.sessions = 2;
  EXPECT_TRUE(writes("renamed", 1)) << daemon.err();
  EXPECT_NE(place_.lines().back().find("\"site\":\"fra1\""), std::string::npos) << place_.lines().back();
  EXPECT_TRUE(writes("a", 1)) << "nothing is written again";
}

TEST_F(Reload, ReadsSecretsAgainThatAreTheSameInTheConfiguration) {
  place_.configure(source(a_, "a"));
  Child daemon = place_.start("run");
  ASSERT_TRUE(writes("a", 1)) << daemon.err();
  place_.write("password", "rotated");
  const Outcome reloaded = place_.run("reload");
  EXPECT_NE(reloaded.out.find("1 changed"), std::string::npos) << reloaded.out << reloaded.err;
  EXPECT_TRUE(eventually([&] { return a_.issued().size() == 2; })) << daemon.err();
}

TEST_F(Reload, OfAWrongConfigurationChangesNothing) {
  place_.configure(source(a_, "a"));
  Child daemon = place_.start("run");
  ASSERT_TRUE(writes("a", 1)) << daemon.err();
  const std::string good = read_text(place_.config());

  place_.write("sessionlogd.toml", good + "wrong = 1\n");
  EXPECT_EQ(place_.run("reload").status, 78) << "the command sees it itself";
  daemon.signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return daemon.err().find("reload refused: ") != std::string::npos; })) << daemon.err();

  // The command opens no secrets, the daemon does.
  place_.write("sessionlogd.toml", good);
  place_.edit_config((place_ / "password").string(), (place_ / "missing").string());
  const Outcome refused = place_.run("reload");
  EXPECT_EQ(refused.status, 1);
  EXPECT_NE(refused.err.find("the configuration in force stays as it was"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("source[1].password"), std::string::npos) << refused.err;

  a_.sessions = 2;
  EXPECT_TRUE(writes("a", 2)) << daemon.err();
}

TEST_F(Reload, ThatTheEndOvertakesIsNotSaidToBeDone) {
  std::atomic<bool> logs_out = false;
  Appliance slow([&](const Appliance::Request& request) -> std::optional<Appliance::Reply> {
    if (request.method_string() != "DELETE") return std::nullopt;
    logs_out = true;
    return Appliance::Reply("", Appliance::Reply::Then::kSilence);
  });
  place_.configure(source(slow, "slow"));
  Child daemon = place_.start("run");
  ASSERT_TRUE(writes("slow", 1)) << daemon.err();
  place_.configure(source(a_, "a"));
  Child reload = place_.start("reload");
  ASSERT_TRUE(eventually([&] { return logs_out.load(); })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  reload.wait();
  const std::string said = daemon.err();
  ASSERT_NE(said.find("stopping on SIGTERM"), said.npos) << said;
  EXPECT_EQ(said.find("reloaded ", said.find("stopping on SIGTERM")), said.npos) << said;
}

TEST_F(Reload, NamesWhatOnlyARestartChanges) {
  place_.configure(source(a_, "a"));
  Child daemon = place_.start("run");
  ASSERT_TRUE(writes("a", 1)) << daemon.err();
  place_.configure(source(a_, "a"), "memory = \"1GiB\"\nverify = \"\"");
  place_.edit_config("[sink]", "[sink]\nmode = \"0600\"");
  const Outcome reloaded = place_.run("reload");
  EXPECT_EQ(reloaded.status, 0) << reloaded.err;
  EXPECT_NE(reloaded.out.find("only a restart changes daemon.memory, daemon.verify, sink.mode"), std::string::npos)
      << reloaded.out;
}

TEST_F(Reload, PutsASourceBackWhereItWas) {
  place_.configure(source(a_, "a") + source(b_, "b"));
  Child daemon = place_.start("run");
  ASSERT_TRUE(writes("b", 1)) << daemon.err();
  place_.configure(source(a_, "a"));
  ASSERT_EQ(place_.run("reload").status, 0);
  b_.sessions = 2;
  place_.configure(source(a_, "a") + source(b_, "b"));
  ASSERT_EQ(place_.run("reload").status, 0);
  EXPECT_TRUE(writes("b", 2)) << "the one that is new, and no other\n" << daemon.err();
}

TEST_F(Reload, ForgetsASourceThatWasAwayForLongerThanStateKeep) {
  place_.configure(source(a_, "a") + source(b_, "b"), "state_keep = \"1s\"");
  Child daemon = place_.start("run");
  ASSERT_TRUE(writes("b", 1)) << daemon.err();
  place_.configure(source(a_, "a"), "state_keep = \"1s\"");
  EXPECT_TRUE(eventually([&] {
    EXPECT_EQ(place_.run("reload").status, 0);
    return daemon.err().find("the source with the id b left the configuration") != std::string::npos;
  })) << daemon.err();
  place_.configure(source(a_, "a") + source(b_, "b"), "state_keep = \"1s\"");
  ASSERT_EQ(place_.run("reload").status, 0);
  EXPECT_TRUE(writes("b", 2)) << "what was forgotten is delivered again";
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
}

// Sources come, go and change all the time while the fleet evolves.
TEST_F(Reload, UnderLoadLosesAndRepeatsNothing) {
  std::mt19937_64 random(random_seed());
  SimulatedFleet fleet(place_, {"--appliances", "12", "--sessions", "5", "--entries", "30", "--dialect", "both",
                                "--hostile", "0", "--duration", "5"});
  const std::string config = read_text(place_.config());
  const std::size_t first = config.find("[[source]]");
  ASSERT_NE(first, config.npos);
  std::vector<std::string> tables;
  for (std::size_t at = first; at != config.npos;) {
    const std::size_t next = config.find("[[source]]", at + 1);
    tables.push_back(config.substr(at, next == config.npos ? next : next - at));
    at = next;
  }
  Child daemon = place_.start("run");
  ASSERT_TRUE(eventually([&] { return !place_.lines().empty(); })) << daemon.err();
  for (int round = 0; !fleet.is_frozen(); ++round) {
    std::string text = config.substr(0, first);
    for (const std::string& table : tables) {
      if (random() % 4 == 0) continue;
      text += table;
      if (random() % 4 == 0) text += fmt::format("labels = {{ round = \"{}\" }}\n", round);
    }
    if (text.find("[[source]]") == text.npos) text += tables[0];
    place_.write("sessionlogd.toml", text);
    const Outcome reloaded = place_.run("reload");
    ASSERT_EQ(reloaded.status, 0) << reloaded.err << daemon.err();
  }
  place_.write("sessionlogd.toml", config);
  EXPECT_EQ(place_.run("reload").status, 0);
  EXPECT_TRUE(eventually([&] { return fleet.is_caught_up() && fleet.agrees({}); })) << daemon.err();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();
  std::string table;
  EXPECT_TRUE(fleet.agrees_at_the_end({}, table)) << table;
}

}  // namespace
}  // namespace sessionlogd::test
