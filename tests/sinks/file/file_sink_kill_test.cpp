// The promise itself: a process that is killed with SIGKILL at any moment loses nothing and repeats nothing.
//
// Knobs: SINKS_SEED (printed) and SINKS_KILL_ROUNDS.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>

#include "sinks/file/file_sink.h"
#include "sinks/formats/ecs.h"
#include "tests/sinks/support.h"

namespace sessionlogd {
namespace {

using test::batch_of;
using test::CountingState;

std::uint64_t number_from(const char* variable, std::uint64_t fallback) {
  const char* given = std::getenv(variable);
  return given != nullptr ? std::stoull(given) : fallback;
}

// Kills its own process within a write: after a part of the bytes, or between write and sync, or after it.
class SuddenDeath : public FileOps {
 public:
  explicit SuddenDeath(std::uint64_t calls_to_live, std::uint64_t part) : calls_(calls_to_live), part_(part) {}

  ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) override {
    if (calls_-- == 0) {
      const iovec torn{pieces[0].iov_base, part_ % (pieces[0].iov_len + 1)};
      [[maybe_unused]] const ssize_t written = FileOps::pwritev(fd, &torn, 1, offset);
      ::kill(::getpid(), SIGKILL);
    }
    return FileOps::pwritev(fd, pieces, count, offset);
  }

  int fdatasync(int fd) override {
    if (calls_-- == 0) ::kill(::getpid(), SIGKILL);
    return FileOps::fdatasync(fd);
  }

 private:
  std::uint64_t calls_, part_;
};

struct Committed {
  std::uint64_t session, count;
};

struct Place {
  std::string state_dir;
  FileSinkSettings settings;
};

// Commits on and on, telling each commit through the pipe, until something kills it.
[[noreturn]] void commit_until_killed(const Place& place, std::uint64_t seed, int told) {
  std::mt19937_64 random(seed);
  const bool alone = random() % 2 == 0;  // half of them end by their own hand, at a chosen place
  SuddenDeath ops(alone ? random() % 60 : UINT64_MAX, random());
  CountingState state;
  FileSink sink(place.state_dir, place.settings, kEcsFormat, ops);
  sink.recover(state);
  if (!state.complaints().empty()) ::_exit(3);
  for (std::map<std::uint64_t, std::uint64_t> counts = state.counts();;) {
    std::vector<Batch> batches;
    for (std::uint64_t left = random() % 4; left > 0; --left) {
      const std::uint64_t session = 1 + random() % 5, count = random() % 20;
      batches.push_back(batch_of(session, counts[session], count, std::string(random() % 2000, 'k')));
      counts[session] += count;
    }
    if (!sink.commit(batches)) ::_exit(4);
    for (const Batch& batch : batches) {
      const Committed committed{batch.session_key, counts[batch.session_key]};
      if (::write(told, &committed, sizeof(committed)) != sizeof(committed)) ::_exit(5);
    }
  }
}

void spin(std::chrono::microseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) {
  }
}

TEST(FileSinkKill, LosesAndRepeatsNothing) {
  spdlog::set_level(spdlog::level::off);
  const std::uint64_t seed = number_from("SINKS_SEED", std::random_device{}());
  std::printf("SINKS_SEED=%llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);

  test::TempDir dir;
  const Place place{dir / "state", {.path = dir / "events.ndjson"}};
  std::map<std::uint64_t, std::uint64_t> acknowledged;
  std::uint64_t size = 0;

  for (std::uint64_t round = number_from("SINKS_KILL_ROUNDS", 60); round > 0; --round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    const std::uint64_t child_seed = seed + round;
    if (child == 0) {
      ::close(ends[0]);
      commit_until_killed(place, child_seed, ends[1]);
    }
    ::close(ends[1]);
    std::uint64_t patience = random() % 40;
    for (Committed committed{}; ::read(ends[0], &committed, sizeof(committed)) == sizeof(committed);) {
      std::uint64_t& known = acknowledged[committed.session];
      known = std::max(known, committed.count);
      if (patience-- != 0) continue;
      spin(std::chrono::microseconds(random() % 3000));
      ::kill(child, SIGKILL);
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);

    ASSERT_GE(std::filesystem::file_size(place.settings.path), size) << "the output shrank";
    size = std::filesystem::file_size(place.settings.path);
    if (random() % 2 == 0) continue;  // the next child recovers

    CountingState state;
    FileSink(place.state_dir, place.settings, kEcsFormat).recover(state);
    ASSERT_TRUE(state.complaints().empty()) << state.complaints().front();
    ASSERT_EQ(std::filesystem::file_size(place.settings.path), size) << "recovery changed the size";
    const CountingState written = test::count_output(test::read_text(place.settings.path));
    ASSERT_TRUE(written.complaints().empty()) << written.complaints().front();
    for (const auto& [session, count] : state.counts())
      ASSERT_EQ(written.count(session), count) << "session " << session;
    for (const auto& [session, count] : acknowledged)
      ASSERT_GE(written.count(session), count) << "lost, session " << session;
  }
  spdlog::set_level(spdlog::level::info);
}

}  // namespace
}  // namespace sessionlogd
