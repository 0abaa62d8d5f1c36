// The promise of a group: whatever is killed, frozen or stopped, daemons or brokers, a read_committed reader finds
// every entry once, each session's in order, and the fleet is treated as if there were one daemon.
//
// SESSIONLOGD_KAFKA_ROUNDS is the number of faults (`./dev kafka ROUNDS`). From kLongRounds on every other one comes
// alone, with all well before and after it, and the takeovers after it are timed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <random>
#include <thread>

#include "tests/kafka/shared_fleet.h"
#include "tests/kafka/suite.h"
#include "tests/support/seed.h"

namespace sessionlogd::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kFaultsOfShort = 4, kLongRounds = 10;
constexpr int kSecondsPerFault = 8, kSecondsPerLongFault = 20;
constexpr int kRate = 20;  // of each source, a second
constexpr seconds kSessionIsOver{12};
constexpr double kTakeoverAtMost = 10;  // seconds: the design's promise for one failure at a time

// A time without somebody is the point here: nothing waits for it to be enough.
void let_pass(milliseconds time) { std::this_thread::sleep_for(time); }

class GroupCampaign {
 public:
  struct Setting {
    std::string name, identity;  // the group is named so, too
    std::size_t members = 4;     // the last of several is there at times only
    int faults = kFaultsOfShort;
  };

  GroupCampaign(Cluster& cluster, const Setting& setting)
      : cluster_(cluster),
        setting_(setting),
        is_long_(setting.faults >= kLongRounds),
        fleet_(cluster, setting.name, setting.members,
               {"--appliances", "24", "--sessions", "6", "--entries", "30", "--dialect", "both", "--poll",
                fmt::format("rate={}/s", kRate), "--duration",
                std::to_string(10 + setting.faults * (is_long_ ? kSecondsPerLongFault : kSecondsPerFault)),
                "--max-lifetime", "7200", "--seed", std::to_string(random_() % 1'000'000 + 1)},
               setting.identity) {}

  void run() {
    for (std::size_t member = 0; member < usual_members(); ++member) fleet_.start(member);
    ASSERT_TRUE(is_well(now_ns())) << fleet_.everything_said();
    for (int fault = 0; fault < setting_.faults && !testing::Test::HasFailure(); ++fault) {
      is_long_&& fault % 2 == 0 ? do_alone() : do_something();
      ASSERT_FALSE(fleet_.has_lost_one()) << fleet_.everything_said();
    }
    std::string table;
    for (const std::string& wrong : fleet_.finish(kRate, table)) ADD_FAILURE() << wrong;
    std::cout << table;
    if (testing::Test::HasFailure()) std::cout << fleet_.everything_said();
    report();
  }

 private:
  std::size_t usual_members() const { return std::max<std::size_t>(setting_.members, 2) - 1; }
  std::size_t some_member() { return random_() % usual_members(); }

  bool is_well(std::int64_t since) { return fleet_.wait_until_polled_since(since); }

  void say(const std::string& what) { std::cout << what << std::endl; }

  // One failure at a time: what it had is polled by others soon, whether it comes back or not.
  void do_alone() {
    ASSERT_TRUE(is_well(now_ns())) << fleet_.everything_said();
    const std::size_t member = some_member();
    const std::int64_t at = now_ns();
    const bool is_kill = random_() % 2 == 0;
    say(fmt::format("alone: member {} {}", member, is_kill ? "killed" : "frozen"));
    is_kill ? fleet_.kill(member) : fleet_.freeze(member);
    if (is_kill) ++killed_;
    if (!is_kill) ++frozen_;
    EXPECT_TRUE(setting_.members == 1 || is_well(at + 1'000'000'000)) << fleet_.everything_said();
    for (const double taken : fleet_.taken_over_after(at, member)) takeovers_.push_back(taken);
    is_kill ? fleet_.start(member) : fleet_.thaw(member);
    ASSERT_TRUE(is_well(now_ns())) << fleet_.everything_said();
  }

  void do_something() {
    let_pass(milliseconds(random_() % 3'000));
    switch (random_() % 9) {
      case 0:
        return kill_member(milliseconds(0));
      case 1:
        return kill_member(is_long_ ? kSessionIsOver : milliseconds(random_() % 3'000));
      case 2:
      case 3:
        return freeze_member();
      case 4:
        return stop_member();
      case 5:
        return change_last_member();
      case 6:
        return kill_broker(static_cast<int>(random_() % static_cast<unsigned>(cluster_.size())), "a broker");
      case 7:
        return freeze_broker();
      default:
        return kill_broker(std::max(fleet_.outside.coordinator_of(fleet_.state_topic + "-" + setting_.name), 0),
                           "the group's coordinator");
    }
  }

  void kill_member(milliseconds away) {
    const std::size_t member = some_member();
    say(fmt::format("member {} killed, away for {} ms", member, away.count()));
    ++killed_;
    fleet_.kill(member);
    let_pass(away);
    fleet_.start(member);
  }

  void freeze_member() {
    const std::size_t member = some_member();
    const milliseconds still(1'000 + random_() % (is_long_ ? 59'000 : 9'000));
    say(fmt::format("member {} frozen for {} ms", member, still.count()));
    ++frozen_;
    fleet_.freeze(member);
    let_pass(still);
    fleet_.thaw(member);
  }

  // Brokers that are away just then may make a stop one with the status of what could not be written.
  void stop_member() {
    const std::size_t member = some_member();
    say(fmt::format("member {} stopped", member));
    ++stopped_;
    fleet_.stop(member);
    fleet_.start(member);
  }

  // The one that joins and leaves.
  void change_last_member() {
    if (setting_.members == 1) return stop_member();
    const std::size_t last = fleet_.size() - 1;
    say(fmt::format("member {} {}", last, fleet_.runs(last) ? "leaves" : "joins"));
    ++changed_;
    if (!fleet_.runs(last)) return fleet_.start(last);
    fleet_.stop(last);
  }

  void kill_broker(int broker, const std::string& which) {
    const milliseconds away(random_() % 5'000);
    say(fmt::format("{} (number {}) killed, away for {} ms", which, broker, away.count()));
    ++brokers_killed_;
    cluster_.kill(broker);
    let_pass(away);
    cluster_.restart(broker);
    cluster_.wait_ready();
  }

  void freeze_broker() {
    const int broker = static_cast<int>(random_() % static_cast<unsigned>(cluster_.size()));
    const milliseconds still(1'000 + random_() % 9'000);
    say(fmt::format("broker {} frozen for {} ms", broker, still.count()));
    ++brokers_frozen_;
    cluster_.signal(broker, SIGSTOP);
    let_pass(still);
    cluster_.signal(broker, SIGCONT);
  }

  void report() {
    fmt::print("members killed {} times, frozen {}, stopped {}, joined or left {}; brokers killed {}, frozen {}\n",
               killed_, frozen_, stopped_, changed_, brokers_killed_, brokers_frozen_);
    if (takeovers_.empty()) return;
    std::ranges::sort(takeovers_);
    fmt::print("takeovers alone, to the next owner's first request: {} sources, median {:.1f} s, worst {:.1f} s\n",
               takeovers_.size(), takeovers_[takeovers_.size() / 2], takeovers_.back());
    EXPECT_GE(takeovers_.front(), 0) << "a source that nobody took over";
    EXPECT_LT(takeovers_.back(), kTakeoverAtMost);
  }

  std::mt19937_64 random_{random_seed()};
  Cluster& cluster_;
  const Setting setting_;
  const bool is_long_;
  SharedFleet fleet_;
  std::vector<double> takeovers_;
  int killed_ = 0, frozen_ = 0, stopped_ = 0, changed_ = 0, brokers_killed_ = 0, brokers_frozen_ = 0;
};

class KafkaGroup : public KafkaTest {};

// Three members, and a fourth that joins and leaves.
TEST_F(KafkaGroup, Campaign) {
  GroupCampaign(three_brokers(), {"campaign", "group = \"campaign\"", 4, rounds_or(kFaultsOfShort)}).run();
}

}  // namespace
}  // namespace sessionlogd::test
