// What exactly-once costs: committing a million events with their state against writing the same bytes plainly and
// syncing once at the end. Rounds take turns in one run; prints the medians and the ratio, and how long recovery takes
// to read the same bytes back: commit_bench [FOLDER].
#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/cpu_seconds.h"
#include "core/state/restored_state.h"
#include "core/state/session_state.h"
#include "sinks/file/file_sink.h"
#include "sinks/file/file_state.h"
#include "sinks/formats/ecs.h"

namespace {

using namespace sessionlogd;
namespace fs = std::filesystem;

constexpr int kEvents = 1'000'000, kEntriesPerSession = 400, kRounds = 3;
// What one commit takes: commit_bytes at its default, at full speed less than a second's worth.
constexpr std::size_t kCommitBytes = 8u << 20;

struct Cost {
  double cpu = 0, wall = 0;
};

template <class Work>
Cost cost_of(Work work) {
  const double before = cpu_seconds();
  const auto begun = std::chrono::steady_clock::now();
  work();
  return {cpu_seconds() - before, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()};
}

// A line of the size and shape the encoder writes.
void append_line(std::string& out, std::uint64_t session, std::uint64_t entry) {
  fmt::format_to(
      std::back_inserter(out),
      R"({{"@timestamp":"2026-11-21T19:22:13.849335Z","message":"Processing virtual machine ubuntu16-{}.","ecs":{{"version":"8.11.0"}},)"
      R"("log":{{"level":"info"}},"agent":{{"type":"sessionlogd","version":"0.1.0","name":"host-1"}},"event":{{"id":"{:016x}{:016x}",)"
      R"("hash":"{:08x}","kind":"event","module":"veeam","dataset":"veeam.aws.session_log","action":"Policy","outcome":"success",)"
      R"("created":"2026-11-21T20:41:12.123456Z","start":"2026-11-21T19:12:04.161597Z","end":"2026-11-21T19:22:13.849335Z"}},)"
      R"("observer":{{"vendor":"Veeam","product":"Backup for AWS","name":"aws-eu","hostname":"10.0.0.5"}},"sessionlog":{{)"
      R"("record":"entry","source":"aws-eu","session_id":"90faa259-fbf6-493a-b492-{:012x}","session_type":"Policy",)"
      R"("session_name":"nightly","log_time":"2026-11-21T19:22:13.849335","status":"Success","duration":"687","change":"new"}}}})"
      "\n",
      entry, session, entry * 0x9E3779B97F4A7C15u + session, static_cast<std::uint32_t>(entry), session);
}

// As the shards push them: one batch per response, with the session's row and the chunks of its keys.
std::vector<Batch> make_batches() {
  std::vector<Batch> batches;
  for (int done = 0; done < kEvents; done += kEntriesPerSession) {
    const auto session = static_cast<std::uint64_t>(done) * 0xD1B54A32D192ED03u + 1;
    SessionState state;
    state.key = session;
    state.phase = Phase::kOpen;
    const std::string id = fmt::format("90faa259-fbf6-493a-b492-{:012x}", session);
    state.info = SessionInfo{.id = id, .type = "Policy", .status = "Running"};
    Batch batch;
    batch.source_id = "aws-eu";
    batch.session_id = id;
    batch.session_key = session;
    std::vector<std::uint32_t> touched;
    for (std::uint32_t entry = 0; entry < kEntriesPerSession; ++entry) {
      const std::size_t before = batch.events.size();
      append_line(batch.events, session, entry);
      const std::uint64_t key = entry * 0x9E3779B97F4A7C15u + session;
      batch.index.push_back({static_cast<std::uint32_t>(batch.events.size() - before), key, entry});
      state.history.append(key, entry, 0);
      touched.push_back(entry);
    }
    batch.records.push_back({session, StateRecord::kSessionPart, encode_session(state)});
    append_chunks(state, touched, batch.records);
    batches.push_back(std::move(batch));
  }
  return batches;
}

// Calls on_part(first, count) for what one commit takes.
template <class OnPart>
void by_commit(const std::vector<Batch>& batches, OnPart on_part) {
  for (std::size_t first = 0; first < batches.size();) {
    std::size_t count = 0;
    for (std::size_t bytes = 0; first + count < batches.size() && bytes < kCommitBytes; ++count)
      bytes += batches[first + count].bytes();
    on_part(first, count);
    first += count;
  }
}

void write_plainly(const std::vector<Batch>& batches, const fs::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  for (const Batch& batch : batches) {
    if (::write(fd, batch.events.data(), batch.events.size()) != static_cast<ssize_t>(batch.events.size()))
      std::abort();
  }
  if (::fdatasync(fd) != 0) std::abort();
  ::close(fd);
}

void commit_all(const std::vector<Batch>& batches, const std::string& state_dir, const FileSinkSettings& settings) {
  FileSink sink(state_dir, settings, kEcsFormat);
  RestoredState restored;
  sink.recover(restored);
  by_commit(batches, [&](std::size_t first, std::size_t count) {
    if (!sink.commit({batches.data() + first, count})) std::abort();
  });
}

double median(std::vector<Cost> costs, double Cost::*figure) {
  std::ranges::sort(costs, {}, figure);
  return costs[costs.size() / 2].*figure;
}

}  // namespace

int main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::warn);
  const fs::path folder =
      fs::path(argc > 1 ? argv[1] : fs::temp_directory_path()) / fmt::format("commit_bench-{}", ::getpid());
  const std::vector<Batch> batches = make_batches();
  FileSinkSettings settings{.path = (folder / "events.ndjson").string()};
  settings.rotate.size_bytes = std::nullopt;
  const std::string state_dir = (folder / "state").string();

  std::vector<Cost> plain, exact, recovery;
  for (int round = 0; round < kRounds; ++round) {
    fs::create_directories(folder);
    plain.push_back(cost_of([&] { write_plainly(batches, folder / "plain"); }));
    exact.push_back(cost_of([&] { commit_all(batches, state_dir, settings); }));
    fs::remove(folder / "plain");
    // All of it uncommitted: the state is made anew.
    fs::remove_all(state_dir);
    recovery.push_back(cost_of([&] {
      RestoredState restored;
      rebuild_state(state_dir, settings, kEcsFormat, restored);
    }));
    fs::remove_all(folder);
  }
  std::size_t bytes = 0;
  for (const Batch& batch : batches) bytes += batch.events.size();
  fmt::print("{:<58} {:>12} {:>12} {:>8}\n", fmt::format("commit of {} events, {} MiB: s", kEvents, bytes >> 20),
             "ours", "plain write", "ratio");
  for (const auto& [name, figure] : {std::pair{"CPU", &Cost::cpu}, std::pair{"wall", &Cost::wall}}) {
    fmt::print("{:<58} {:>12.2f} {:>12.2f} {:>8.2f}\n", name, median(exact, figure), median(plain, figure),
               median(exact, figure) / median(plain, figure));
  }
  fmt::print("{:<58} {:>12.2f} {:>12} {:>8}\n", "recovery of all of it, wall s per GiB",
             median(recovery, &Cost::wall) / static_cast<double>(bytes) * (1u << 30), "-", "-");
}
