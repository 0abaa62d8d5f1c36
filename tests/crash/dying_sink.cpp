#include "tests/crash/dying_sink.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <stdexcept>

#include "sinks/file/output_line.h"
#include "sinks/file/rotated_keeper.h"
#include "sinks/file/rotated_name.h"
#include "sinks/formats/ecs.h"
#include "tests/crash/outputs.h"

namespace sessionlogd::test {
namespace {

constexpr int kCommits = 14;

[[noreturn]] void live(const SinkPlace& place, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  CountingState state;
  {
    FileSink sink(place.state_dir, place.settings, kEcsFormat);
    sink.recover(state);
    if (!state.complaints().empty()) ::_exit(3);
    std::map<std::uint64_t, std::uint64_t> counts = state.counts();
    for (int commit = 0; commit < kCommits; ++commit) {
      std::vector<Batch> batches;
      for (std::uint64_t session = 1; session <= 3; ++session) {
        const std::uint64_t count = random() % 6;
        batches.push_back(batch_of(session, counts[session], count, std::string(random() % 300, 'c')));
        counts[session] += count;
      }
      if (!sink.commit(batches)) ::_exit(4);
    }
  }
  // The keeper works at the lowest priority: here it comes to its end, or to its point, on the busiest machine.
  const std::vector<RotatedFile> rotated = list_rotated(place.settings.path);
  if (!rotated.empty()) RotatedKeeper(place.settings, FileOps::system()).tidy(rotated.back().sequence + 1);
  ::_exit(0);
}

// Entry after entry of each session; the first of each is where the files begin.
std::string check_lines(const std::string& all, const std::map<std::uint64_t, std::uint64_t>& counts, bool removed) {
  OutputLineReader reader;
  const std::string padded = all + std::string(OutputLineReader::kPadding, ' ');
  std::map<std::uint64_t, std::uint64_t> next;
  for (std::size_t begin = 0; begin < all.size();) {
    const std::size_t end = all.find('\n', begin);
    if (end == all.npos) return "the last line has no end";
    const auto event = reader.read(padded.data() + begin, end - begin);
    if (event) {
      const auto [at, fresh] = next.try_emplace(event->session_key, removed ? event->entry_key : 0);
      if (event->entry_key != at->second)
        return fmt::format("session {}: entry {} where {} was due", event->session_key, event->entry_key, at->second);
      ++at->second;
    } else if (all.find_first_not_of(' ', begin) != end) {
      return "a line that is none: " + all.substr(begin, end - begin);
    }
    begin = end + 1;
  }
  for (const auto& [session, count] : counts) {
    if (next.contains(session) ? next[session] != count : count != 0 && !removed)
      return fmt::format("session {}: the state knows {} entries, the output {}", session, count, next[session]);
  }
  return {};
}

}  // namespace

bool live_and_die(const SinkPlace& place, const std::string& crash_at, std::uint64_t seed) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("SESSIONLOGD_CRASH_AT", crash_at.c_str(), 1);
    spdlog::set_level(spdlog::level::off);
    try {
      live(place, seed);
    } catch (const std::exception& error) {
      fmt::print(stderr, "{}: {}\n", crash_at, error.what());
      ::_exit(5);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return true;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return false;
  throw std::runtime_error(fmt::format("{}: the child ended with status {:#x}", crash_at, status));
}

std::string judge(const SinkPlace& place, FileOps& ops) {
  CountingState state;
  {
    FileSink sink(place.state_dir, place.settings, kEcsFormat, ops);
    sink.recover(state);
  }
  if (!state.complaints().empty()) return state.complaints().front();
  std::string all;
  for (const std::string& content : read_outputs(place.settings.path)) all += content;
  return check_lines(all, state.counts(), place.settings.rotate.keep.has_value());
}

}  // namespace sessionlogd::test
