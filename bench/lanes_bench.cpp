// What twelve lanes cost against one: events per CPU-second through queue, committer and lane, exactly once to a real
// broker, this process alone, all its threads. The same batches come at the same rate, or as fast as they are taken.
//
// lanes_bench [ROUNDS [SECONDS]]: in each round one lane and twelve in turn, at each load and each commit_interval.
// Prints rows for bench/run, medians over the rounds.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>

#include "bench/cpu_seconds.h"
#include "bench/kafka_batches.h"
#include "core/state/batch_queue.h"
#include "core/state/committer.h"
#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_lane.h"
#include "sinks/kafka/kafka_rows.h"
#include "sinks/kafka/kafka_views.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/outside.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::int32_t kMany = 12;
constexpr int kBatches = 240, kSources = 240, kEventPartitions = 12;
constexpr std::size_t kQueueBytes = 96u << 20;  // of a daemon with memory at its default
constexpr std::chrono::milliseconds kWarm = 2s, kBetweenPushes = 5ms;

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
class Lanes {
 public:
  Lanes(const KafkaSinkSettings& settings, std::int32_t count, std::chrono::milliseconds interval) : views_(settings) {
    const auto memory = std::make_shared<QueueMemory>(kQueueBytes);
    for (std::int32_t i = 0; i < count; ++i)
      lives_.push_back(std::make_unique<Life>(settings, StatePart{i, count}, views_, memory, interval));
  }

  // false: its lane is full.
  bool push(const Batch& batch) {
    BatchQueue& queue = lives_[lane_of(batch)]->queue;
    if (queue.full()) return false;
    Batch copy = batch;
    copy.read_at = SteadyClock::now();
    queue.push(std::move(copy));
    return true;
  }

  // Until all that was pushed is committed.
  void drain() const {
    for (const auto& life : lives_) {
      while (life->queue.bytes() > 0) std::this_thread::sleep_for(kBetweenPushes);
    }
  }

  std::uint64_t events() const {
    std::uint64_t sum = 0;
    for (const auto& life : lives_) sum += life->committer.events();
    return sum;
  }
  std::uint64_t commits() const {
    std::uint64_t sum = 0;
    for (const auto& life : lives_) sum += life->committer.commits();
    return sum;
  }

 private:
  std::size_t lane_of(const Batch& batch) const {
    return static_cast<std::size_t>(partition_of_source(batch.source_id, static_cast<std::int32_t>(lives_.size())));
  }

  KafkaViews views_;
  std::vector<std::unique_ptr<Life>> lives_;
};

struct Load {
  std::string_view name;
  double events_per_second;  // infinity: what is taken
};
constexpr Load kLoads[] = {{"10,000 events/s", 10e3}, {"50,000 events/s", 50e3}, {"as many as are taken", HUGE_VAL}};

struct Interval {
  std::string_view name;
  std::chrono::milliseconds interval;
  std::string_view at_least;
};
constexpr Interval kIntervals[] = {{"300 ms", 300ms, ">= 0.70"}, {"1 s", 1s, ">= 0.90"}};

// Pushes the same batches round and round. What a full lane does not take is left out, as a poll would be.
class Feed {
 public:
  Feed(const std::vector<Batch>& batches, const Load& load) : batches_(batches), load_(load) {}

  void push_for(std::chrono::milliseconds span, Lanes& lanes) {
    const SteadyTime began = SteadyClock::now();
    double pushed = 0;
    for (SteadyTime now = began; now < began + span; now = SteadyClock::now()) {
      const double due = load_.events_per_second * std::chrono::duration<double>(now - began).count();
      for (std::size_t i = 0; i < batches_.size() && pushed < due; ++i, pushed += kEventsPerBatch)
        lanes.push(batches_[next_++ % batches_.size()]);
      std::this_thread::sleep_for(kBetweenPushes);
    }
  }

 private:
  const std::vector<Batch>& batches_;
  const Load load_;
  std::size_t next_ = 0;
};

struct Measured {
  double events_per_cpu_second = 0, events_per_second = 0, commits_per_second = 0;
};

Measured measure(const KafkaSinkSettings& settings, std::int32_t lanes_count, std::chrono::milliseconds interval,
                 Feed feed, std::chrono::seconds span) {
  Lanes lanes(settings, lanes_count, interval);
  feed.push_for(kWarm, lanes);
  lanes.drain();
  const double cpu = cpu_seconds();
  const SteadyTime began = SteadyClock::now();
  const auto events = static_cast<double>(lanes.events()), commits = static_cast<double>(lanes.commits());
  feed.push_for(span, lanes);
  lanes.drain();
  const double done = static_cast<double>(lanes.events()) - events;
  const double wall = std::chrono::duration<double>(SteadyClock::now() - began).count();
  return {done / (cpu_seconds() - cpu), done / wall, (static_cast<double>(lanes.commits()) - commits) / wall};
}

double median(std::vector<double> of) {
  std::nth_element(of.begin(), of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2), of.end());
  return of[of.size() / 2];
}

// The broker keeps the last seconds only: a run writes some ten gigabytes.
class Bed {
 public:
  Bed()
      : cluster_({.properties = "log.retention.check.interval.ms=2000\nlog.segment.delete.delay.ms=1000\n"}),
        outside_(cluster_.addresses()) {}

  // Topics, with the record in each partition of the state topic that the first lane goes on from.
  KafkaSinkSettings settings(std::int32_t lanes) {
    const std::string name = fmt::format("lanes-{}", lanes);
    KafkaSinkSettings made{.brokers = cluster_.addresses(),
                           .topic = name,
                           .state_topic = name + "-state",
                           .transactional_id = "",
                           .delivery = Delivery::kExactlyOnce,
                           .properties = {}};
    outside_.create_topic(made.topic, kEventPartitions,
                          {{"segment.bytes", "33554432"}, {"retention.bytes", "67108864"}});
    outside_.create_topic(made.state_topic, lanes, {{"cleanup.policy", "compact"}});
    std::vector<test::Message> records(static_cast<std::size_t>(lanes));
    for (std::int32_t i = 0; i < lanes; ++i) {
      test::Message& record = records[static_cast<std::size_t>(i)];
      record.partition = i;
      record.key = commit_key(transactional_id_of({i, lanes}, made.state_topic));
      record.value = encode_commit({0, "none", "nobody", "2026-11-21T20:41:12Z", lanes});
    }
    outside_.write(made.state_topic, records);
    return made;
  }

 private:
  test::Cluster cluster_;
  test::Outside outside_;
};

struct Medians {
  std::vector<double> many, one, ratios;

  void add(const Measured& m, const Measured& o) {
    many.push_back(m.events_per_cpu_second / 1e3);
    one.push_back(o.events_per_cpu_second / 1e3);
    ratios.push_back(m.events_per_cpu_second / o.events_per_cpu_second);
  }
};

int run(int rounds, std::chrono::seconds span) {
  Bed bed;
  const KafkaSinkSettings one = bed.settings(1), many = bed.settings(kMany);
  const std::vector<Batch> batches = make_batches(kBatches, kSources);
  for (const Load& load : kLoads) {
    for (const Interval& interval : kIntervals) {
      const auto measured = [&](std::int32_t lanes) {
        const Measured m = measure(lanes == 1 ? one : many, lanes, interval.interval, Feed(batches, load), span);
        fmt::print(stderr, "{} lanes: {:.0f} events per CPU-s, {:.0f} events/s, {:.1f} commits/s\n", lanes,
                   m.events_per_cpu_second, m.events_per_second, m.commits_per_second);
        return m;
      };
      Medians medians;
      for (int round = 0; round < rounds; ++round) {
        Measured first = measured(round % 2 == 0 ? 1 : kMany), second = measured(round % 2 == 0 ? kMany : 1);
        if (round % 2 == 0) std::swap(first, second);
        medians.add(first, second);
      }
      fmt::print("12 lanes to one at {}, {}, thousand events per CPU-s|{:.0f}|{:.0f}|{:.2f}|{}|-\n", interval.name,
                 load.name, median(medians.many), median(medians.one), median(medians.ratios), interval.at_least);
    }
  }
  return 0;
}

}  // namespace
}  // namespace sessionlogd

int main(int argc, char** argv) {
  std::string why_not;
  if (!sessionlogd::test::Cluster::is_available(why_not)) {
    fmt::print(stderr, "lanes_bench: {}\n", why_not);
    return 1;
  }
  spdlog::set_level(spdlog::level::warn);
  try {
    return sessionlogd::run(argc > 1 ? std::atoi(argv[1]) : 5, std::chrono::seconds{argc > 2 ? std::atoi(argv[2]) : 6});
  } catch (const std::exception& error) {
    fmt::print(stderr, "lanes_bench: {}\n", error.what());
    return 1;
  }
}
