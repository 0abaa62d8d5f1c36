// What twelve lanes cost against one: events per CPU-second through queue, committer and lane, exactly once to a real
// broker, this process alone, all its threads. The same batches come at the same rate, or as fast as they are taken.
//
// lanes_bench [ROUNDS [SECONDS]]: in each round one lane and twelve in turn, at each load and each commit_interval.
// Prints rows for bench/run, medians over the rounds.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <utility>

#include "bench/kafka_batches.h"
#include "bench/kafka_load.h"
#include "bench/with_broker.h"
#include "core/state/batch_queue.h"
#include "core/state/committer.h"
#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_lane.h"
#include "sinks/kafka/kafka_rows.h"
#include "sinks/kafka/kafka_views.h"
#include "tests/kafka/outside.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t kMany = 12;
constexpr int kBatches = 240, kSources = 240;

struct NoState : StateVisitor {
  void record(std::string_view, const StateRecord&) override {}
  void delivered(const Delivered&) override {}
  std::vector<Batch> settle() override { return {}; }
};

class LaneAsSink : public Sink {
 public:
  LaneAsSink(const KafkaSinkSettings& settings, StatePart part, KafkaViews& views)
      : lane_(settings, kEcsFormat, part, views, stop_.get_token()) {}

  void recover(StateVisitor& into) override {
    if (const Result<void> done = lane_.recover(into); !done) throw std::runtime_error(done.error().detail);
  }
  Result<void> commit(std::span<const Batch> batches) override { return lane_.commit(batches); }
  std::string_view name() const override { return "lane"; }

 private:
  std::stop_source stop_;
  KafkaLane lane_;
};

// A lane with all that drives it.
struct Life {
  Life(const KafkaSinkSettings& settings, StatePart part, KafkaViews& views, std::shared_ptr<QueueMemory> memory,
       std::chrono::milliseconds interval)
      : queue(std::move(memory)),
        sink(settings, part, views),
        committer(queue, sink, {.interval = interval}, [](const Error& error) {
          fmt::print(stderr, "lanes_bench: {}\n", error.detail);
          std::_Exit(1);
        }) {
    NoState state;
    sink.recover(state);
    committer.start();
  }
  ~Life() {
    queue.close();
    committer.join();
  }

  BatchQueue queue;
  LaneAsSink sink;
  Committer committer;
};

// All lanes of a state topic of so many partitions.
class AllLanes : public Outlets {
 public:
  AllLanes(const KafkaSinkSettings& settings, std::int32_t count, std::chrono::milliseconds interval)
      : views_(settings) {
    for (std::int32_t i = 0; i < count; ++i)
      lives_.push_back(std::make_unique<Life>(settings, StatePart{i, count}, views_, memory_, interval));
  }

  BatchQueue& queue_of(const Batch& batch) override {
    const auto lane = partition_of_source(batch.source_id, static_cast<std::int32_t>(lives_.size()));
    return lives_[static_cast<std::size_t>(lane)]->queue;
  }
  const QueueMemory& memory() const override { return *memory_; }
  CommitterView committed() const override {
    CommitterView sum;
    for (const auto& life : lives_) {
      sum.events += life->committer.events();
      sum.ok += life->committer.commits();
    }
    return sum;
  }

 private:
  KafkaViews views_;
  const std::shared_ptr<QueueMemory> memory_ = std::make_shared<QueueMemory>(kQueueBytes);
  std::vector<std::unique_ptr<Life>> lives_;
};

constexpr Load kLoads[] = {{"10,000 events/s", 10e3}, {"50,000 events/s", 50e3}, {"as many as are taken", HUGE_VAL}};

struct Interval {
  std::string_view name;
  std::chrono::milliseconds interval;
  std::string_view at_least;
};
constexpr Interval kIntervals[] = {{"300 ms", 300ms, ">= 0.70"}, {"1 s", 1s, ">= 0.90"}};

// Topics, with the record in each partition of the state topic that the first lane goes on from.
KafkaSinkSettings make_topics(LoadedBroker& broker, std::int32_t lanes) {
  const std::string name = fmt::format("lanes-{}", lanes);
  KafkaSinkSettings made{.brokers = broker.addresses(),
                         .topic = name,
                         .state_topic = name + "-state",
                         .transactional_id = "",
                         .delivery = Delivery::kExactlyOnce,
                         .properties = {}};
  broker.create_events_topic(made.topic);
  broker.outside().create_topic(made.state_topic, lanes, {{"cleanup.policy", "compact"}});
  std::vector<test::Message> records(static_cast<std::size_t>(lanes));
  for (std::int32_t i = 0; i < lanes; ++i) {
    test::Message& record = records[static_cast<std::size_t>(i)];
    record.partition = i;
    record.key = commit_key(transactional_id_of({i, lanes}, made.state_topic));
    record.value = encode_commit({0, "none", "nobody", "2026-11-21T20:41:12Z", lanes});
  }
  broker.outside().write(made.state_topic, records);
  return made;
}

int run(int rounds, std::chrono::seconds span) {
  LoadedBroker broker;
  const KafkaSinkSettings one = make_topics(broker, 1), many = make_topics(broker, kMany);
  const std::vector<Batch> batches = make_batches(kBatches, kSources);
  for (const Load& load : kLoads) {
    for (const Interval& interval : kIntervals) {
      const auto measured = [&](std::int32_t lanes) {
        AllLanes all(lanes == 1 ? one : many, lanes, interval.interval);
        const Measured m = measure(all, batches, load, span);
        fmt::print(stderr, "{} lanes: {:.0f} events per CPU-s, {:.0f} events/s, {:.1f} commits/s\n", lanes,
                   m.events_per_cpu_second, m.events_per_second, m.commits_per_second);
        return m;
      };
      Rounds compared;
      for (int round = 0; round < rounds; ++round) {
        Measured first = measured(round % 2 == 0 ? 1 : kMany), second = measured(round % 2 == 0 ? kMany : 1);
        if (round % 2 == 0) std::swap(first, second);
        compared.add(first, second);
      }
      compared.print(fmt::format("12 lanes to one at {}, {}", interval.name, load.name), interval.at_least);
    }
  }
  return 0;
}

}  // namespace
}  // namespace sessionlogd

int main(int argc, char** argv) {
  return sessionlogd::with_broker("lanes_bench", [&] {
    return sessionlogd::run(argc > 1 ? std::atoi(argv[1]) : 5, std::chrono::seconds{argc > 2 ? std::atoi(argv[2]) : 6});
  });
}
