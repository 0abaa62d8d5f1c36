// The promise itself: whatever is killed or frozen, daemon or broker, a read_committed reader finds every entry once.
//
// Each format has a short run of its own. SESSIONLOGD_KAFKA_ROUNDS is how many times something is done to one of them
// (`./dev kafka ROUNDS`).
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <list>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "sinks/formats/formats.h"
#include "tests/kafka/bed.h"
#include "tests/kafka/suite.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

using std::chrono::milliseconds;

constexpr int kRoundsOfOne = 8, kRoundsOfThree = 4;
constexpr double kSecondsPerRound = 2.5;

// A life, or a time without one, of random length is the point here: nothing waits for it to be enough.
void let_pass(milliseconds time) { std::this_thread::sleep_for(time); }

class Campaign {
 public:
  Campaign(Cluster& cluster, const std::string& name, int rounds)
      : cluster_(cluster),
        rounds_(rounds),
        bed_(cluster, name,
             {"--appliances", "12", "--sessions", "8", "--entries", "40", "--duration",
              fmt::format("{:.0f}", kSecondsPerRound * rounds + 4), "--max-lifetime", "7200"},
             // A transaction that was left open expires while we look.
             "properties = { \"transaction.timeout.ms\" = 3000 }"),
        daemon_(bed_.start()) {}

  void run() {
    for (int round = 0; round < rounds_; ++round) {
      let_pass(milliseconds(random_() % 2'500));
      ASSERT_TRUE(daemon_->is_running()) << daemon_->err();
      do_something();
      if (testing::Test::HasFatalFailure()) return;
    }
    bed_.finish(*daemon_);
    fmt::print("daemon killed {} times, frozen {}; broker killed {} times, frozen {}; {} events\n", killed_, frozen_,
               brokers_killed_, brokers_frozen_, bed_.read().size());
  }

 private:
  void do_something() {
    const int broker = static_cast<int>(random_() % static_cast<unsigned>(cluster_.size()));
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        return kill_daemon();
      case 3:
        ++frozen_;
        daemon_->signal(SIGSTOP);
        let_pass(milliseconds(random_() % 5'000));
        return daemon_->signal(SIGCONT);
      case 4:
        ++brokers_frozen_;
        cluster_.signal(broker, SIGSTOP);
        let_pass(milliseconds(random_() % 6'000));
        if (random_() % 2 == 0) kill_daemon();
        return cluster_.signal(broker, SIGCONT);
      default:
        ++brokers_killed_;
        cluster_.kill(broker);
        let_pass(milliseconds(random_() % 3'000));
        if (random_() % 3 == 0) kill_daemon();
        cluster_.restart(broker);
        return cluster_.wait_ready();
    }
  }

  void kill_daemon() {
    ++killed_;
    daemon_->signal(SIGKILL);
    ASSERT_EQ(daemon_->wait(), -SIGKILL) << daemon_->err();
    daemon_.emplace(bed_.start());
  }

  std::mt19937_64 random_{random_seed()};
  Cluster& cluster_;
  const int rounds_;
  Bed bed_;
  std::optional<Child> daemon_;
  int killed_ = 0, frozen_ = 0, brokers_killed_ = 0, brokers_frozen_ = 0;
};

// Of ./dev upgrade alone, which knows a daemon of a version before.
class KafkaUpgrade : public KafkaTest {};

TEST_F(KafkaUpgrade, ReadsTheTopicsOfAVersionBeforeOn) {
  ASSERT_NE(version_before(), nullptr) << "this is for ./dev upgrade BINARY";
  for (const int signal : {SIGTERM, SIGKILL}) {
    SCOPED_TRACE(signal);
    Bed bed(one_broker(), fmt::format("upgrade-{}", signal),
            {"--appliances", "60", "--sessions", "8", "--entries", "30", "--dialect", "both", "--faults", "--duration",
             fmt::format("{:.1f}", evolution_seconds()), "--max-lifetime", "7200"});
    Child before = bed.place.start_program({version_before(), "run", "-c", bed.place.config().string()});
    EXPECT_TRUE(eventually([&] { return bed.read().size() > 1'000; })) << before.err();
    before.signal(signal);
    before.wait();
    Child daemon = bed.start();
    bed.finish(daemon);
  }
}

class KafkaCampaign : public KafkaTest {};

TEST_F(KafkaCampaign, LosesAndRepeatsNothing) { Campaign(one_broker(), "campaign-1", rounds_or(kRoundsOfOne)).run(); }

// Leaders and the transaction's coordinator move with every broker that goes.
TEST_F(KafkaReplicas, LoseAndRepeatNothingWhateverIsKilledOrFrozen) {
  Campaign(three_brokers(), "campaign-3", rounds_or(kRoundsOfThree)).run();
}

// ECS is what all other tests have.
std::vector<std::string> formats_but_ecs() {
  std::vector<std::string> names;
  for (const Format* format : formats()) {
    if (format->name != "ecs") names.emplace_back(format->name);
  }
  return names;
}

class KafkaFormat : public KafkaTest {};

struct BedOfFormat {
  explicit BedOfFormat(const std::string& name)
      : format(name),
        bed(one_broker(), "format-" + name,
            {"--appliances", "12", "--sessions", "6", "--entries", "30", "--dialect", "both", "--faults", "--duration",
             fmt::format("{:.1f}", evolution_seconds() / 2), "--max-lifetime", "7200"},
            fmt::format("format = \"{}\"\nproperties = {{ \"transaction.timeout.ms\" = 3000 }}", name)),
        daemon(bed.start()) {}

  void kill_and_start() {
    ASSERT_TRUE(daemon->is_running()) << daemon->err();
    daemon->signal(SIGKILL);
    ASSERT_EQ(daemon->wait(), -SIGKILL);
    daemon.emplace(bed.start());
  }

  const std::string format;
  Bed bed;
  std::optional<Child> daemon;
};

// Side by side: a fleet with faults has its daemon wait for most of the time.
TEST_F(KafkaFormat, EachLosesAndRepeatsNothing) {
  std::mt19937_64 random(random_seed());
  std::list<BedOfFormat> beds;
  for (const std::string& name : formats_but_ecs()) beds.emplace_back(name);
  std::vector<BedOfFormat*> in_turn;
  for (BedOfFormat& each : beds) in_turn.push_back(&each);
  for (int kills = 0; kills < 2; ++kills) {
    std::ranges::shuffle(in_turn, random);
    for (BedOfFormat* each : in_turn) {
      SCOPED_TRACE(each->format);
      let_pass(milliseconds(random() % 1'000));
      each->kill_and_start();
      if (HasFatalFailure()) return;
      if (random() % 2 == 0) continue;
      // A start that ends in the middle of itself.
      let_pass(milliseconds(random() % 300));
      each->kill_and_start();
      if (HasFatalFailure()) return;
    }
  }
  for (BedOfFormat& each : beds) {
    SCOPED_TRACE(each.format);
    each.bed.finish(*each.daemon);
    for (const Message& message : each.bed.read()) EXPECT_EQ(message.headers.at("event.format"), each.format);
  }
}

}  // namespace
}  // namespace sessionlogd::test
