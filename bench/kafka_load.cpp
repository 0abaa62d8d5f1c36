#include "bench/kafka_load.h"

#include <fmt/format.h>

#include <thread>
#include <utility>

#include "bench/cpu_seconds.h"
#include "bench/kafka_batches.h"
#include "bench/median.h"
#include "core/base/clock.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kWarm = 2s, kBetweenPushes = 5ms;
constexpr int kEventPartitions = 12;

class Feed {
 public:
  Feed(Outlets& outlets, const std::vector<Batch>& batches, const Load& load)
      : outlets_(outlets), batches_(batches), load_(load) {}

  void push_for(std::chrono::milliseconds span) {
    const SteadyTime began = SteadyClock::now();
    double pushed = 0;
    for (SteadyTime now = began; now < began + span; now = SteadyClock::now()) {
      const double due = load_.events_per_second * std::chrono::duration<double>(now - began).count();
      for (std::size_t i = 0; i < batches_.size() && pushed < due; ++i, pushed += kEventsPerBatch)
        push(batches_[next_++ % batches_.size()]);
      std::this_thread::sleep_for(kBetweenPushes);
    }
  }

  // Until all that was pushed is committed.
  void drain() const {
    while (outlets_.memory().bytes() > 0) std::this_thread::sleep_for(kBetweenPushes);
  }

 private:
  void push(const Batch& batch) {
    BatchQueue& queue = outlets_.queue_of(batch);
    if (queue.full()) return;
    Batch copy = batch;
    copy.read_at = SteadyClock::now();
    queue.push(std::move(copy));
  }

  Outlets& outlets_;
  const std::vector<Batch>& batches_;
  const Load load_;
  std::size_t next_ = 0;
};

}  // namespace

Measured measure(Outlets& outlets, const std::vector<Batch>& batches, const Load& load, std::chrono::seconds span) {
  Feed feed(outlets, batches, load);
  feed.push_for(kWarm);
  feed.drain();
  const double cpu = cpu_seconds();
  const SteadyTime began = SteadyClock::now();
  const CommitterView before = outlets.committed();
  feed.push_for(span);
  feed.drain();
  const CommitterView after = outlets.committed();
  const auto events = static_cast<double>(after.events - before.events);
  const double wall = std::chrono::duration<double>(SteadyClock::now() - began).count();
  return {events / (cpu_seconds() - cpu), events / wall, static_cast<double>(after.ok - before.ok) / wall};
}

void Rounds::add(const Measured& ours, const Measured& against) {
  ours_.push_back(ours.events_per_cpu_second / 1e3);
  against_.push_back(against.events_per_cpu_second / 1e3);
  ratios_.push_back(ours.events_per_cpu_second / against.events_per_cpu_second);
}

void Rounds::print(std::string_view name, std::string_view at_least) const {
  fmt::print("{}, thousand events per CPU-s|{:.0f}|{:.0f}|{:.2f}|{}|-\n", name, median(ours_), median(against_),
             median(ratios_), at_least);
}

LoadedBroker::LoadedBroker()
    : cluster_({.properties = "log.retention.check.interval.ms=2000\nlog.segment.delete.delay.ms=1000\n"
                              "group.initial.rebalance.delay.ms=0\n"}),
      outside_(cluster_.addresses()) {}

void LoadedBroker::create_events_topic(const std::string& name) {
  outside_.create_topic(name, kEventPartitions, {{"segment.bytes", "33554432"}, {"retention.bytes", "67108864"}});
}

}  // namespace sessionlogd
