// A start with a million sessions remembered in a state topic, against the same rows handed over within a process:
// what is left is what Kafka costs. Each is measured in a process of its own, since the peak of its memory counts.
//
// kafka_restore_bench [ROUNDS]: prints one line per figure: name, ours, against, ratio, at least, aim.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "bench/cpu_seconds.h"
#include "bench/many_sessions.h"
#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_sink.h"
#include "tests/daemon/workplace.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/outside.h"

namespace sessionlogd {
namespace {

KafkaSinkSettings settings_for(const std::string& brokers) {
  return {.brokers = brokers,
          .topic = "restored",
          .state_topic = "restored-state",
          .transactional_id = "restored",
          .delivery = Delivery::kExactlyOnce,
          .properties = {}};
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

// In the process that is measured: prints "ROWS WALL CPU PEAK".
template <class Restore>
int measure(const Restore& restore) {
  const double before = cpu_seconds();
  const auto begun = std::chrono::steady_clock::now();
  CountedState state;
  restore(state);
  if (hand_out(state) != kManySessions) throw std::runtime_error("sessions are missing");
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begun;
  fmt::print("{} {} {} {}\n", state.rows, wall.count(), cpu_seconds() - before, peak_mib());
  return 0;
}

void from_topic(const std::string& brokers, StateVisitor& into) {
  KafkaSink(settings_for(brokers), kEcsFormat, {}).recover(into);
}

void from_memory(StateVisitor& into) {
  for (std::uint32_t source = 0; source < kManySessions / kSessionsPerSource; ++source) {
    for (const Batch& batch : rows_of_source(source)) {
      for (const StateRecord& record : batch.records) into.record(batch.source_id, record);
    }
  }
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

void fill_topics(const std::string& brokers) {
  test::Outside(brokers).create_topic("restored", 6);
  KafkaSink sink(settings_for(brokers), kEcsFormat, {});
  RestoredState nothing;
  sink.recover(nothing);
  for (std::uint32_t source = 0; source < kManySessions / kSessionsPerSource; ++source) {
    if (const Result<void> done = sink.commit(rows_of_source(source)); !done)
      throw std::runtime_error(done.error().detail);
  }
}

int run(const std::string& program, int rounds) {
  const test::Cluster cluster(test::ClusterSettings{});
  fill_topics(cluster.addresses());
  std::vector<Measured> ours, bare;
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(in_own_process(program, {"from-topic", cluster.addresses()}));
    bare.push_back(in_own_process(program, {"from-memory"}));
  }
  const auto median = [](std::vector<Measured> of, double Measured::*figure) {
    std::ranges::sort(of, {}, figure);
    return of[of.size() / 2].*figure;
  };
  const double wall = median(ours, &Measured::wall), bare_wall = median(bare, &Measured::wall);
  const double peak = median(ours, &Measured::peak), bare_peak = median(bare, &Measured::peak);
  fmt::print("start with {} sessions in Kafka, s, to the state's own|{:.2f}|{:.2f}|{:.2f}|<= 10 s|<= 5 s\n",
             kManySessions, wall, bare_wall, wall / bare_wall);
  fmt::print("rows of the state topic per second, thousands|{:.0f}|-|-|-|-\n", ours.front().rows / wall / 1e3);
  fmt::print("CPU of the same, s|{:.2f}|{:.2f}|{:.2f}|-|-\n", median(ours, &Measured::cpu),
             median(bare, &Measured::cpu), median(ours, &Measured::cpu) / median(bare, &Measured::cpu));
  fmt::print("peak memory of the same, MiB|{:.0f}|{:.0f}|{:.2f}|<= 1.70|<= 1.20\n", peak, bare_peak, peak / bare_peak);
  return 0;
}

}  // namespace
}  // namespace sessionlogd

int main(int argc, char** argv) {
  using namespace sessionlogd;
  std::string why_not;
  if (!test::Cluster::is_available(why_not)) {
    fmt::print(stderr, "kafka_restore_bench: {}\n", why_not);
    return 1;
  }
  spdlog::set_level(spdlog::level::warn);
  const std::string what = argc > 1 ? argv[1] : "5";
  try {
    if (what == "from-topic") return measure([&](StateVisitor& into) { from_topic(argv[2], into); });
    if (what == "from-memory") return measure([](StateVisitor& into) { from_memory(into); });
    return run(argv[0], std::stoi(what));
  } catch (const std::exception& error) {
    fmt::print(stderr, "kafka_restore_bench: {}\n", error.what());
    return 1;
  }
}
