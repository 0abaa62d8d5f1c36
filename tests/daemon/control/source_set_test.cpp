// What a SourceSet asks of shards, step by step, whatever happens to list and lanes in between.
#include "daemon/control/source_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <deque>

#include "core/async/spawn.h"
#include "tests/support/built_in.h"

namespace sessionlogd::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::chrono::hours kStateKeep{24};

// Does nothing until it is told to, and then the first that it was asked.
class FakeHost : public SourceHost {
 public:
  FakeHost(std::deque<std::function<void()>>& asked, std::vector<std::string>& log) : asked_(asked), log_(log) {}

  void add(NewSource source, std::function<void(std::string)> added) override {
    auto given = std::make_shared<NewSource>(std::move(source));
    asked_.push_back([this, given, added] {
      const std::string& id = given->settings->id;
      const std::uint64_t life = given->queue->life();
      log_.push_back("+" + id + "/" + std::to_string(life) + " " + given->settings->name);
      here_[{id, life}] = std::move(*given);
      added(unusable);
    });
  }
  void remove(std::string id, std::uint64_t life, ShardSources::Leaves how,
              std::function<void(std::optional<RestoredSource>)> removed) override {
    asked_.push_back([this, id, life, how, removed] {
      const bool may_be_back = how == ShardSources::Leaves::kAndMayBeBack;
      log_.push_back("-" + id + "/" + std::to_string(life) + (may_be_back ? " may be back" : ""));
      auto known = here_.extract({id, life});
      removed(known ? std::optional(std::move(known.mapped().restored)) : std::nullopt);
    });
  }

  std::string unusable;
  std::map<std::pair<std::string, std::uint64_t>, NewSource> here_;

 private:
  std::deque<std::function<void()>>& asked_;
  std::vector<std::string>& log_;
};

// The partition of a source is the digit that ends its id.
class FakeShards {
 public:
  explicit FakeShards(std::size_t count = 1) {
    spdlog::set_level(spdlog::level::err);
    std::vector<std::unique_ptr<SourceHost>> made;
    for (std::size_t i = 0; i < count; ++i) {
      auto host = std::make_unique<FakeHost>(asked_, log);
      hosts.push_back(host.get());
      made.push_back(std::move(host));
    }
    set.emplace(SourceSet::Parts{.main = main,
                                 .hosts = std::move(made),
                                 .partition_of = [](std::string_view id) { return std::size_t(id.back() - '0'); },
                                 .on_count = [this](std::size_t sources) { count_ = sources; }});
  }

  // "id name", or "id" for both; the name is that of the appliance, too.
  static std::vector<SourceSettings> list(const std::vector<std::string>& sources) {
    static const auto dialect = built_in_dialect("veeam-aws");
    std::vector<SourceSettings> made;
    for (const std::string& source : sources) {
      SourceSettings& settings = made.emplace_back();
      settings.id = source.substr(0, source.find(' '));
      settings.name = source.substr(source.find(' ') == source.npos ? 0 : source.find(' ') + 1);
      settings.url = "https://" + settings.name;
      settings.dialect = dialect;
    }
    return made;
  }
  static RestoredState restored(const std::vector<std::string>& ids, std::size_t sessions = 1) {
    RestoredState state;
    for (const std::string& id : ids) {
      for (std::uint64_t key = 1; key <= sessions; ++key) {
        SessionState session;
        session.key = key;
        session.info = SessionInfo{.id = "s"};
        state.record(id, {key, StateRecord::kSessionPart, encode_session(session)});
      }
    }
    return state;
  }

  std::shared_ptr<BatchQueue> lane() const { return std::make_shared<BatchQueue>(memory); }
  // Its life has the next number, from 1.
  void begin(std::size_t partition, const std::vector<std::string>& ids = {}) {
    RestoredState state = restored(ids);
    set->begin(partition, lane(), state);
  }
  void reload(const std::vector<std::string>& sources) {
    spawn(main, [](FakeShards& self, std::vector<SourceSettings> list) -> Task<void> {
      self.changes = co_await self.set->change_to(std::move(list), kStateKeep);
      ++self.reloads;
    }(*this, list(sources)));
    poll();
  }
  // The first thing that a shard was asked. false: there was none.
  bool step() {
    if (asked_.empty()) return false;
    const auto first = std::move(asked_.front());
    asked_.pop_front();
    first();
    poll();
    return true;
  }
  void settle() {
    while (step()) {
    }
  }
  void poll() {
    main.restart();
    main.poll();
  }
  std::vector<std::string> said() { return std::exchange(log, {}); }
  // What is polled, as "id/life name sessions".
  std::vector<std::string> here() const {
    std::vector<std::string> all;
    for (const FakeHost* host : hosts) {
      for (const auto& [key, source] : host->here_) {
        all.push_back(key.first + "/" + std::to_string(key.second) + " " + source.settings->name + " " +
                      std::to_string(source.restored.sessions.size()));
      }
    }
    std::ranges::sort(all);
    return all;
  }

  boost::asio::io_context main{1};
  const std::shared_ptr<QueueMemory> memory = std::make_shared<QueueMemory>(1 << 20);
  std::vector<FakeHost*> hosts;
  std::vector<std::string> log;
  std::optional<SourceSet> set;
  SourceSet::Changes changes;
  int reloads = 0;
  std::size_t count_ = 0;

 private:
  std::deque<std::function<void()>> asked_;
};

TEST(SourceSet, PollsWhatStandsInTheListAndHasALane) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0", "b0", "c1"}), kStateKeep);
  EXPECT_EQ(shards.count_, 3u);
  EXPECT_FALSE(shards.step()) << "there is no lane";
  shards.begin(0, {"a0"});
  shards.settle();
  EXPECT_THAT(shards.here(), ElementsAre("a0/1 a0 1", "b0/1 b0 0"));
  shards.begin(1);
  shards.settle();
  EXPECT_THAT(shards.here(), ElementsAre("a0/1 a0 1", "b0/1 b0 0", "c1/2 c1 0"));
  EXPECT_THAT(shards.set->all(), testing::SizeIs(3));
}

TEST(SourceSet, AReloadStopsStartsAndChangesAndLeavesTheOthersAlone) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0", "b0", "c0"}), kStateKeep);
  shards.begin(0, {"b0", "c0"});
  shards.settle();
  shards.said();
  shards.reload({"a0", "b0 other", "d0"});
  EXPECT_EQ(shards.reloads, 0) << "something differs";
  shards.settle();
  EXPECT_EQ(shards.reloads, 1);
  EXPECT_THAT(shards.said(), testing::UnorderedElementsAre("-b0/1", "+b0/1 other", "-c0/1", "+d0/1 d0"));
  EXPECT_THAT(shards.here(), ElementsAre("a0/1 a0 0", "b0/1 other 1", "d0/1 d0 0"));
  EXPECT_EQ(shards.changes.added, 1u);
  EXPECT_EQ(shards.changes.changed, 1u);
  EXPECT_EQ(shards.changes.removed, 1u);
  EXPECT_EQ(shards.changes.unchanged, 1u);
  shards.reload({"a0", "b0 other", "c0"});
  shards.settle();
  EXPECT_THAT(shards.here(), ElementsAre("a0/1 a0 0", "b0/1 other 1", "c0/1 c0 1")) << "it is put back with its state";
}

// A source that has another id now logs in when the one that it was has logged out.
TEST(SourceSet, StartsASourceWhenThoseThatStopAtItsApplianceHave) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0 same", "b0 same"}), kStateKeep);
  shards.begin(0);
  shards.settle();
  shards.said();
  shards.reload({"c0 same", "d0"});
  shards.settle();
  EXPECT_THAT(shards.said(), ElementsAre("-a0/1", "-b0/1", "+d0/1 d0", "+c0/1 same"));
  EXPECT_EQ(shards.reloads, 1);
}

TEST(SourceSet, ThatDiffersInNothingAnswersAtOnce) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0"}), kStateKeep);
  shards.begin(0);
  shards.settle();
  shards.reload({"a0"});
  EXPECT_EQ(shards.reloads, 1);
  EXPECT_FALSE(shards.step());
}

TEST(SourceSet, SaysWhatOfAReloadIsParked) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0", "b0"}), kStateKeep);
  shards.hosts[0]->unusable = "no file";
  shards.begin(0);
  shards.settle();
  shards.reload({"a0", "b0 other"});
  shards.settle();
  EXPECT_THAT(shards.changes.parked, ElementsAre("source=other cannot be polled: no file"));
}

// It would be polled by two at once, and what the first reads would not be known to the second.
TEST(SourceSet, StartsNothingOfALifeBeforeTheLastOfTheOneBeforeHasStopped) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0", "b0", "c1"}), kStateKeep);
  shards.begin(0);
  shards.begin(1);
  shards.settle();
  shards.said();
  shards.set->end(0);
  shards.begin(0, {"a0"});
  shards.step();
  EXPECT_THAT(shards.said(), ElementsAre("-a0/1 may be back"));
  shards.step();
  EXPECT_THAT(shards.said(), ElementsAre("-b0/1 may be back"));
  shards.settle();
  EXPECT_THAT(shards.here(), ElementsAre("a0/3 a0 1", "b0/3 b0 0", "c1/2 c1 0"));
}

// Its token is handed back at once.
TEST(SourceSet, WhatLeftTheConfigurationOrStopsWithTheDaemonDoesNotComeBack) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0", "b1"}), kStateKeep);
  shards.begin(0);
  shards.begin(1);
  shards.settle();
  shards.said();
  shards.set->want(FakeShards::list({"b1"}), kStateKeep);
  shards.settle();
  EXPECT_THAT(shards.said(), ElementsAre("-a0/1")) << "it left the configuration";
  shards.set->close();
  shards.set->end(1);
  shards.settle();
  EXPECT_THAT(shards.said(), ElementsAre("-b1/2")) << "the daemon stops";
}

TEST(SourceSet, ThrowsAwayWhatAnEndedLifeGivesBack) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0"}), kStateKeep);
  shards.begin(0, {"a0"});
  shards.settle();
  shards.set->end(0);
  shards.begin(0);
  shards.settle();
  EXPECT_THAT(shards.here(), ElementsAre("a0/2 a0 0")) << "only what was restored is known";
}

TEST(SourceSet, ThrowsAwayWhatRestedWithAnEndedLife) {
  FakeShards shards;
  shards.begin(0, {"a0"});
  shards.set->end(0);
  shards.set->want(FakeShards::list({"a0"}), kStateKeep);
  shards.begin(0);
  shards.settle();
  EXPECT_THAT(shards.here(), ElementsAre("a0/2 a0 0"));
}

TEST(SourceSet, CountsAnewInEachLifeAndGoesOnCountingAfterAReload) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0"}), kStateKeep);
  shards.begin(0);
  shards.settle();
  const auto first = shards.set->all()[0].counters;
  shards.reload({"a0 other"});
  shards.settle();
  EXPECT_EQ(shards.set->all()[0].counters, first);
  shards.set->end(0);
  shards.begin(0);
  shards.settle();
  EXPECT_NE(shards.set->all()[0].counters, first);
}

TEST(SourceSet, TellsWhereASourceIsPolledWhileItIs) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0"}), kStateKeep);
  const SourceSet::Source& a = *shards.set->find("a0");
  EXPECT_EQ(shards.set->place_of(a), nullptr) << "it has no lane";
  shards.begin(0);
  EXPECT_NE(shards.set->place_of(a), nullptr) << "what a shard is asked now it does when the source is there";
  shards.step();
  ASSERT_NE(shards.set->place_of(a), nullptr);
  EXPECT_EQ(shards.set->place_of(a)->queue->life(), 1u);
  shards.set->end(0);
  EXPECT_EQ(shards.set->place_of(a), nullptr) << "it stops";
}

TEST(SourceSet, GivesASourceToTheShardWithTheLeastToDoAndLeavesItThere) {
  FakeShards shards(2);
  shards.set->want(FakeShards::list({"a0", "b0", "c0"}), kStateKeep);
  RestoredState state = FakeShards::restored({"a0"}, 5);
  shards.set->begin(0, shards.lane(), state);
  shards.settle();
  EXPECT_THAT(shards.hosts[0]->here_, testing::SizeIs(1));
  EXPECT_THAT(shards.hosts[1]->here_, testing::SizeIs(2));
  shards.reload({"a0", "b0 other", "c0 other"});
  shards.settle();
  EXPECT_THAT(shards.hosts[1]->here_, testing::SizeIs(2)) << "what is changed stays";
  shards.set->end(0);
  shards.settle();
  shards.begin(0);
  shards.settle();
  EXPECT_THAT(shards.hosts[0]->here_, testing::SizeIs(2)) << "what has gone counts for nothing";
}

TEST(SourceSet, TellsWhenTheLastOfAnEndedLifeHasStopped) {
  FakeShards shards;
  shards.set->want(FakeShards::list({"a0", "b0"}), kStateKeep);
  shards.begin(0);
  shards.settle();
  bool all_stopped = false;
  shards.set->end(0);
  spawn(shards.main, [](SourceSet& set, bool& done) -> Task<void> {
    co_await set.all_stopped(0);
    done = true;
  }(*shards.set, all_stopped));
  shards.step();
  EXPECT_FALSE(all_stopped);
  shards.step();
  EXPECT_TRUE(all_stopped);
}

// A reload x {assigned, revoked, lost} at each of its awaits: it answers, and what is then polled is what the list and
// the lanes say. Revoked and lost are the same to a source set: the life is over.
enum class Group { kAssigned, kEnded, kEndedAndAssignedAgain };

class ReloadBesideAGroup : public testing::TestWithParam<std::tuple<Group, int>> {};

TEST_P(ReloadBesideAGroup, EndsAsListAndLanesSay) {
  const auto [event, at] = GetParam();
  FakeShards shards(2);
  shards.set->want(FakeShards::list({"a0", "b0", "c0", "d1"}), kStateKeep);
  shards.begin(0, {"a0", "b0", "c0"});
  shards.settle();
  shards.reload({"a0", "b0 other", "e0", "d1 other"});
  for (int i = 0; i < at; ++i) shards.step();
  if (event == Group::kAssigned) {
    shards.begin(1, {"d1"});
  } else {
    shards.set->end(0);
    if (event == Group::kEndedAndAssignedAgain) shards.begin(0, {"a0", "b0"});
  }
  shards.settle();
  EXPECT_EQ(shards.reloads, 1);
  switch (event) {
    case Group::kAssigned:
      EXPECT_THAT(shards.here(), ElementsAre("a0/1 a0 1", "b0/1 other 1", "d1/2 other 1", "e0/1 e0 0"));
      break;
    case Group::kEnded:
      EXPECT_THAT(shards.here(), IsEmpty());
      break;
    case Group::kEndedAndAssignedAgain:
      EXPECT_THAT(shards.here(), ElementsAre("a0/2 a0 1", "b0/2 other 1", "e0/2 e0 0"));
      break;
  }
}

// The reload makes four steps: two stop, two start.
INSTANTIATE_TEST_SUITE_P(AtEachAwait, ReloadBesideAGroup,
                         testing::Combine(testing::Values(Group::kAssigned, Group::kEnded,
                                                          Group::kEndedAndAssignedAgain),
                                          testing::Range(0, 5)));

}  // namespace
}  // namespace sessionlogd::test
