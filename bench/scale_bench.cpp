// What a million sessions cost: the schedule per poll, against the same with a thousand; memory per open session and
// per done mark; the start with all of them remembered. Prints one line per figure: name, ours, against, ratio, at
// least, aim ("-" where there is none): scale_bench [FOLDER].
#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/cpu_seconds.h"
#include "bench/many_sessions.h"
#include "bench/median.h"
#include "core/polling/schedule.h"
#include "core/polling/session_table.h"
#include "core/state/restored_state.h"
#include "sinks/file/file_sink.h"
#include "sinks/formats/ecs.h"

namespace {

using namespace sessionlogd;
namespace fs = std::filesystem;

constexpr std::uint32_t kFew = 1'000;
constexpr int kRounds = 7;

// With the allocator's own.
std::size_t heap_bytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

// ---- The schedule

// Takes `polls` due sessions of `sessions` and sets each anew, as a shard does; nanoseconds of CPU per poll.
double cost_per_poll(Schedule& schedule, SteadyTime& now, std::uint32_t polls) {
  std::mt19937 random(1);
  const double before = cpu_seconds();
  for (std::uint32_t i = 0; i < polls; ++i) {
    now = std::max(now, *schedule.next_due());
    const Schedule::Slot slot = *schedule.take_due(now);
    schedule.set(slot, now + std::chrono::milliseconds(5'000 + random() % 55'000));
  }
  return (cpu_seconds() - before) / polls * 1e9;
}

void fill(Schedule& schedule, std::uint32_t sessions) {
  std::mt19937 random(2);
  for (std::uint32_t slot = 0; slot < sessions; ++slot)
    schedule.set(slot, SteadyTime{} + std::chrono::milliseconds(random() % 60'000));
}

void measure_schedule() {
  // As many polls each round, so that both are measured for as long.
  constexpr std::uint32_t kPolls = 500'000;
  Schedule many, few;
  SteadyTime many_now{}, few_now{};
  fill(many, kManySessions);
  fill(few, kFew);
  std::vector<double> of_many, of_few;
  for (int round = 0; round < kRounds; ++round) {
    of_few.push_back(cost_per_poll(few, few_now, kPolls));
    of_many.push_back(cost_per_poll(many, many_now, kPolls));
  }
  fmt::print("schedule per poll, ns: 1,000,000 sessions to 1,000|{:.1f}|{:.1f}|{:.2f}|<= 1.3|<= 1.1\n", median(of_many),
             median(of_few), median(of_many) / median(of_few));
}

// ---- Memory

void measure_memory(const SourceSettings& source) {
  constexpr std::uint32_t kSessions = 200'000;
  const std::size_t before = heap_bytes();
  {
    SessionTable table(source, {}, system_now());
    Schedule schedule;
    for (std::uint32_t number = 0; number < kSessions; ++number) {
      std::vector<StateRecord> records;
      const auto taken = table.take_in(listed_session(number), {}, records);
      know_entries(table.at(taken.slot).state.history, table.at(taken.slot).state.key);
      schedule.set(taken.slot, SteadyTime{} + std::chrono::seconds(number % 60));
    }
    fmt::print("memory of an open session with {} known entries, bytes|{:.0f}|-|-|<= 600|<= 350\n", kKnownEntries,
               static_cast<double>(heap_bytes() - before) / kSessions);
  }
  const std::size_t empty = heap_bytes();
  DoneMarks done;
  for (std::uint32_t number = 0; number < kManySessions; ++number)
    done.put(number * 0x9E3779B97F4A7C15u + 1, {.digest = number, .made = {1'792'680'320 + number, 0}});
  const std::size_t with_marks = heap_bytes();
  fmt::print("memory of a done mark, of {}, bytes|{:.1f}|-|-|<= 48|<= 33\n", kManySessions,
             static_cast<double>(with_marks - empty) / kManySessions);
  KeptFingerprints fingerprints;
  constexpr std::uint32_t kEntries = 13;
  for (std::uint32_t number = 0; number < kManySessions; ++number) {
    SessionHistory history;
    for (std::uint32_t entry = 0; entry < kEntries; ++entry) history.append(entry, entry, 0);
    fingerprints.put(number + 1, history);
  }
  fmt::print("memory of the fingerprints of a done session with {} entries, of {}, bytes|{:.1f}|-|-|-|<= 120\n",
             kEntries, kManySessions, static_cast<double>(heap_bytes() - with_marks) / kManySessions);
}

// ---- Start

void measure_start(const fs::path& folder) {
  FileSinkSettings settings{.path = (folder / "events.ndjson").string()};
  const std::string state_dir = (folder / "state").string();
  fs::create_directories(folder);
  {
    FileSink sink(state_dir, settings, kEcsFormat);
    RestoredState nothing;
    sink.recover(nothing);
    for (std::uint32_t number = 0; number < kManySessions / kSessionsPerSource; ++number) {
      if (!sink.commit(rows_of_source(number))) std::abort();
    }
  }
  std::vector<double> wall, cpu;
  for (int round = 0; round < 3; ++round) {
    const double before = cpu_seconds();
    const auto begun = std::chrono::steady_clock::now();
    FileSink sink(state_dir, settings, kEcsFormat);
    RestoredState restored;
    sink.recover(restored);
    if (hand_out(restored) != kManySessions) std::abort();
    wall.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    cpu.push_back(cpu_seconds() - before);
  }
  fs::remove_all(folder);
  fmt::print("start with {} remembered sessions, {} of them open, CPU s|{:.2f}|-|-|<= 10|<= 3\n", kManySessions,
             kManySessions / kOneOpenOf, median(cpu));
  fmt::print("the same by wall clock, s|{:.2f}|-|-|<= 10|<= 3\n", median(wall));
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::warn);
  const SourceSettings source = some_source();
  measure_schedule();
  measure_memory(source);
  measure_start(fs::path(argc > 1 ? argv[1] : fs::temp_directory_path()) / fmt::format("scale_bench-{}", ::getpid()));
}
