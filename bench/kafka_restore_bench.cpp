// A start with a million sessions remembered in a state topic, against the same rows handed over within a process:
// what is left is what Kafka costs. Beside it the only member of a group, which takes over the same sessions in 60
// partitions. Each is measured in a process of its own, since the peak of its memory counts.
//
// kafka_restore_bench [ROUNDS]: prints one line per figure: name, ours, against, ratio, at least, aim.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/cpu_seconds.h"
#include "bench/group_of_one.h"
#include "bench/many_sessions.h"
#include "bench/with_broker.h"
#include "core/polling/session_table.h"
#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_sink.h"
#include "tests/daemon/workplace.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/outside.h"

namespace sessionlogd {
namespace {

constexpr std::uint32_t kManySources = kManySessions / kSessionsPerSource;
constexpr std::uint64_t kPartitions = 60;  // of the group

KafkaSinkSettings settings_for(const std::string& brokers) {
  return {.brokers = brokers,
          .topic = "restored",
          .state_topic = "restored-state",
          .transactional_id = "restored",
          .delivery = Delivery::kExactlyOnce,
          .properties = {}};
}

KafkaSinkSettings group_settings_for(const std::string& brokers) {
  KafkaSinkSettings settings = settings_for(brokers);
  settings.topic = "taken-over";
  settings.state_topic = "taken-over-state";
  settings.transactional_id = "";
  settings.group = "group-of-one";
  settings.state_partitions = kPartitions;
  return settings;
}

// Most that this process ever had in memory.
double peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

class CountedState : public RestoredState {
 public:
  void record(std::string_view source_id, const StateRecord& record) override {
    ++rows;
    RestoredState::record(source_id, record);
  }
  std::size_t rows = 0;
};

struct Known {
  std::size_t sessions = 0;
  std::size_t rows = 0;  // that were read, where they are counted
};

// In the process that is measured: prints "ROWS WALL CPU PEAK".
template <class Restore>
int measure(const Restore& restore) {
  const double before = cpu_seconds();
  const auto begun = std::chrono::steady_clock::now();
  const Known known = restore();
  if (known.sessions != kManySessions) throw std::runtime_error("sessions are missing");
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begun;
  fmt::print("{} {} {} {}\n", known.rows, wall.count(), cpu_seconds() - before, peak_mib());
  return 0;
}

Known from_topic(const std::string& brokers) {
  CountedState state;
  KafkaSink(settings_for(brokers), kEcsFormat, {}).recover(state);
  return {hand_out(state), state.rows};
}

Known from_memory() {
  CountedState state;
  for (std::uint32_t source = 0; source < kManySources; ++source) {
    for (const Batch& batch : rows_of_source(source)) {
      for (const StateRecord& record : batch.records) state.record(batch.source_id, record);
    }
  }
  return {hand_out(state), state.rows};
}

std::vector<SourceSettings> sources_of_group() {
  std::vector<SourceSettings> sources(kManySources, some_source());
  for (std::uint32_t source = 0; source < kManySources; ++source)
    sources[source].id = rows_of_source(source).front().source_id;
  return sources;
}

// Until every lane is ours, is known to be, and each source has made its table of what it was given.
Known from_group(const std::string& brokers) {
  std::vector<std::shared_ptr<const SourceSettings>> settings;
  std::vector<std::unique_ptr<SessionTable>> tables;
  Known known;
  const GroupOfOne member(group_settings_for(brokers), sources_of_group(), [&](NewSource& source) {
    settings.push_back(source.settings);
    tables.push_back(std::make_unique<SessionTable>(*source.settings, std::move(source.restored), system_now()));
    known.sessions += tables.back()->size() + tables.back()->done();
  });
  return known;
}

struct Measured {
  double rows = 0, wall = 0, cpu = 0, peak = 0;
};

Measured in_own_process(const std::string& program, std::vector<std::string> arguments) {
  test::Workplace place;
  arguments.insert(arguments.begin(), program);
  test::Child child = place.start_program(std::move(arguments));
  if (child.wait() != 0) throw std::runtime_error(child.err());
  Measured measured;
  std::istringstream(child.out()) >> measured.rows >> measured.wall >> measured.cpu >> measured.peak;
  return measured;
}

void fill_topic(const std::string& brokers) {
  test::Outside(brokers).create_topic("restored", 6);
  KafkaSink sink(settings_for(brokers), kEcsFormat, {});
  RestoredState nothing;
  sink.recover(nothing);
  for (std::uint32_t source = 0; source < kManySources; ++source) {
    if (const Result<void> done = sink.commit(rows_of_source(source)); !done)
      throw std::runtime_error(done.error().detail);
  }
}

void fill_topic_of_group(const std::string& brokers) {
  const KafkaSinkSettings settings = group_settings_for(brokers);
  test::Outside(brokers).create_topic(settings.topic, 6);
  GroupOfOne member(settings, sources_of_group());
  for (std::uint32_t source = 0; source < kManySources; ++source) {
    for (Batch& batch : rows_of_source(source)) {
      BatchQueue& queue = member.queue_of(batch);
      while (queue.full()) std::this_thread::sleep_for(std::chrono::milliseconds{5});
      queue.push(std::move(batch));
    }
  }
}

int run(const std::string& program, int rounds) {
  // Nobody else is waited for.
  const test::Cluster cluster({.properties = "group.initial.rebalance.delay.ms=0\n"});
  fill_topic(cluster.addresses());
  fill_topic_of_group(cluster.addresses());
  std::vector<Measured> ours, member, bare;
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(in_own_process(program, {"from-topic", cluster.addresses()}));
    member.push_back(in_own_process(program, {"from-group", cluster.addresses()}));
    bare.push_back(in_own_process(program, {"from-memory"}));
  }
  const auto median = [](std::vector<Measured> of, double Measured::*figure) {
    std::ranges::sort(of, {}, figure);
    return of[of.size() / 2].*figure;
  };
  const double wall = median(ours, &Measured::wall), bare_wall = median(bare, &Measured::wall);
  const double peak = median(ours, &Measured::peak), bare_peak = median(bare, &Measured::peak);
  const double member_wall = median(member, &Measured::wall), member_cpu = median(member, &Measured::cpu);
  const double member_peak = median(member, &Measured::peak);
  fmt::print("start with {} sessions in Kafka, s, to the state's own|{:.2f}|{:.2f}|{:.2f}|<= 10 s|<= 5 s\n",
             kManySessions, wall, bare_wall, wall / bare_wall);
  fmt::print("rows of the state topic per second, thousands|{:.0f}|-|-|-|-\n", ours.front().rows / wall / 1e3);
  fmt::print("CPU of the same, s|{:.2f}|{:.2f}|{:.2f}|-|-\n", median(ours, &Measured::cpu),
             median(bare, &Measured::cpu), median(ours, &Measured::cpu) / median(bare, &Measured::cpu));
  fmt::print("peak memory of the same, MiB|{:.0f}|{:.0f}|{:.2f}|<= 1.70|<= 1.20\n", peak, bare_peak, peak / bare_peak);
  fmt::print("member of a group takes them over in {} partitions, s|{:.2f}|{:.2f}|{:.2f}|-|-\n", kPartitions,
             member_wall, bare_wall, member_wall / bare_wall);
  fmt::print("CPU of the same, s|{:.2f}|{:.2f}|{:.2f}|-|-\n", member_cpu, median(bare, &Measured::cpu),
             member_cpu / median(bare, &Measured::cpu));
  fmt::print("peak memory of the same, MiB|{:.0f}|{:.0f}|{:.2f}|-|-\n", member_peak, bare_peak,
             member_peak / bare_peak);
  return 0;
}

}  // namespace
}  // namespace sessionlogd

int main(int argc, char** argv) {
  using namespace sessionlogd;
  const std::string what = argc > 1 ? argv[1] : "5";
  return with_broker("kafka_restore_bench", [&] {
    if (what == "from-topic") return measure([&] { return from_topic(argv[2]); });
    if (what == "from-group") return measure([&] { return from_group(argv[2]); });
    if (what == "from-memory") return measure(&from_memory);
    return run(argv[0], std::stoi(what));
  });
}
