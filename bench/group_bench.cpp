// What it costs to be in a group: events per CPU-second of a daemon that is the only member of one, against a daemon in
// no group. The same batches go through queue and committer, exactly once to a real broker; the member's side has its
// membership and its lanes, of 12 partitions and of one. This process alone, all its threads.
//
// group_bench [ROUNDS [SECONDS]]: in each round all three in turn, each on topics of its own. Prints rows for
// bench/run, medians over the rounds.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "bench/group_of_one.h"
#include "bench/kafka_batches.h"
#include "bench/kafka_load.h"
#include "bench/many_sessions.h"
#include "bench/with_broker.h"
#include "core/state/restored_state.h"
#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_sink.h"

namespace sessionlogd {
namespace {

constexpr int kBatches = 240, kSources = 240;
constexpr Load kLoads[] = {{"as many as are taken", HUGE_VAL}, {"50,000 events/s", 50e3}};

// As App has it where there is no group.
class NoGroup : public Outlets {
 public:
  explicit NoGroup(const KafkaSinkSettings& settings)
      : sink_(settings, kEcsFormat, stop_.get_token()),
        committer_(queue_, sink_, {.interval = KafkaSinkSettings::kCommitInterval}, [](const Error& error) {
          fmt::print(stderr, "group_bench: {}\n", error.detail);
          std::_Exit(1);
        }) {
    RestoredState nothing;
    sink_.recover(nothing);
    committer_.start();
  }
  ~NoGroup() override {
    queue_.close();
    committer_.join();
  }

  BatchQueue& queue_of(const Batch& /*batch*/) override { return queue_; }
  const QueueMemory& memory() const override { return *memory_; }
  CommitterView committed() const override { return committer_.view(); }

 private:
  const std::shared_ptr<QueueMemory> memory_ = std::make_shared<QueueMemory>(kQueueBytes);
  BatchQueue queue_{memory_};
  std::stop_source stop_;
  KafkaSink sink_;
  Committer committer_;
};

struct Contender {
  std::string_view name;
  std::uint64_t partitions;  // of its group; 0: it is in none
};
constexpr std::array<Contender, 3> kContenders{{{"no group", 0}, {"12 partitions", 12}, {"1 partition", 1}}};
using Round = std::array<Measured, kContenders.size()>;

class Contest {
 public:
  explicit Contest(std::chrono::seconds span) : span_(span) {}

  // Whoever comes first is another one each time.
  Round round(int number, const Load& load) {
    Round round;
    for (std::size_t i = 0; i < round.size(); ++i) {
      const std::size_t turn = (i + static_cast<std::size_t>(number)) % round.size();
      round[turn] = measure_one(kContenders[turn], load);
    }
    return round;
  }

 private:
  Measured measure_one(const Contender& contender, const Load& load) {
    const KafkaSinkSettings settings = make_settings(contender);
    const std::unique_ptr<Outlets> outlets = make_outlets(settings, contender);
    const Measured m = measure(*outlets, batches_, load, span_);
    fmt::print(stderr, "{}, {}: {:.0f} events per CPU-s, {:.0f} events/s, {:.1f} commits/s\n", contender.name,
               load.name, m.events_per_cpu_second, m.events_per_second, m.commits_per_second);
    return m;
  }

  KafkaSinkSettings make_settings(const Contender& contender) {
    KafkaSinkSettings settings;
    settings.brokers = broker_.addresses();
    settings.topic = fmt::format("group-bench-{}", ++topics_);
    settings.state_topic = settings.topic + "-state";
    if (contender.partitions == 0) {
      settings.transactional_id = settings.topic;
    } else {
      settings.group = "group-of-one";
      settings.state_partitions = contender.partitions;
    }
    broker_.create_events_topic(settings.topic);
    return settings;
  }

  static std::unique_ptr<Outlets> make_outlets(const KafkaSinkSettings& settings, const Contender& contender) {
    if (contender.partitions == 0) return std::make_unique<NoGroup>(settings);
    std::vector<SourceSettings> sources(kSources, some_source());
    for (int i = 0; i < kSources; ++i) sources[static_cast<std::size_t>(i)].id = id_of_source(i);
    return std::make_unique<GroupOfOne>(settings, std::move(sources));
  }

  const std::chrono::seconds span_;
  const std::vector<Batch> batches_ = make_batches(kBatches, kSources);
  LoadedBroker broker_;
  int topics_ = 0;
};

int run(int rounds, std::chrono::seconds span) {
  Contest contest(span);
  for (const Load& load : kLoads) {
    std::array<Rounds, kContenders.size()> to_no_group;
    for (int number = 0; number < rounds; ++number) {
      const Round round = contest.round(number, load);
      for (std::size_t i = 1; i < round.size(); ++i) to_no_group[i].add(round[i], round[0]);
    }
    for (std::size_t i = 1; i < to_no_group.size(); ++i)
      to_no_group[i].print(fmt::format("group of one, {}, to no group, {}", kContenders[i].name, load.name), ">= 0.90");
  }
  return 0;
}

}  // namespace
}  // namespace sessionlogd

int main(int argc, char** argv) {
  return sessionlogd::with_broker("group_bench", [&] {
    return sessionlogd::run(argc > 1 ? std::atoi(argv[1]) : 5, std::chrono::seconds{argc > 2 ? std::atoi(argv[2]) : 6});
  });
}
