// `memory` is what it says: the daemon under hostile responses and a sink that is full takes no more than that, beside
// what it takes for itself and its state; and what was held back is delivered exactly once when there is room.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <fstream>
#include <map>
#include <vector>

#include "tests/daemon/appliance.h"
#include "tests/daemon/workplace.h"

namespace sessionlogd::test {
namespace {

using Reply = Appliance::Reply;

constexpr std::size_t kMiB = 1u << 20;
constexpr std::size_t kMemory = 64 * kMiB;
constexpr int kSources = 6;
constexpr int kEntries = 8'000;                        // of one log
constexpr int kUnreadable = 10'000;                    // what is taken of a flood
constexpr std::chrono::minutes kForLargeResponses{3};  // beside the other tests

std::string large_log() {
  const std::string date = yesterday();
  std::string text = R"({"log":[)";
  for (int i = 0; i < kEntries; ++i) {
    text += fmt::format(R"({}{{"logTime":"{}T{:02}:{:02}:{:02}","status":"Success","message":"step {} {}"}})",
                        i == 0 ? "" : ",", date, i / 3600, i / 60 % 60, i % 60, i, std::string(400, 'x'));
  }
  return text + "]}";
}

std::string flood() {
  std::string text = R"({"log":[0)";
  while (text.size() < 15 * kMiB) text += ",0,0,0,0,0,0,0,0";
  return text + "]}";
}

std::atomic<int> logs_asked_for = 0;

// Of each source's four sessions one is a bomb, one a flood, and two are large logs.
std::optional<Reply> hostile(const Appliance::Request& request) {
  static const std::string bomb = response(gzip(std::string(60 * kMiB, '\0')), {"Content-Encoding: gzip"});
  static const std::string packed_flood = response(gzip(flood()), {"Content-Encoding: gzip"});
  static const std::string plain = response(large_log());
  static const std::string packed = response(gzip(large_log()), {"Content-Encoding: gzip"});
  const std::string_view target = request.target();
  if (target.find("/log") == target.npos) return std::nullopt;
  ++logs_asked_for;
  if (target.find("session-0") != target.npos) return Reply(bomb);
  if (target.find("session-1") != target.npos) return Reply(packed_flood);
  return Reply(target.find("session-2") != target.npos ? plain : packed);
}

void configure(const Workplace& place, const std::vector<std::string>& sources) {
  std::string all;
  for (const std::string& source : sources) all += source;
  place.write("password", "secret");
  place.configure(all, "memory = \"64MiB\"", "max_body = \"16MiB\"");
  place.edit_config("interval = \"50ms\"\nmax_interval = \"200ms\"", "interval = \"1s\"\nmax_interval = \"5s\"");
}

// How many lines a file has by now. What was counted is not read again: there are 100 MiB of them.
class LineCount {
 public:
  explicit LineCount(const std::filesystem::path& file) : file_(file, std::ios::binary) {}

  std::size_t now() {
    file_.clear();  // of the end that was reached
    for (std::streamsize got = 1; got > 0;) {
      file_.read(piece_.data(), static_cast<std::streamsize>(piece_.size()));
      got = file_.gcount();
      lines_ += static_cast<std::size_t>(std::count(piece_.begin(), piece_.begin() + got, '\n'));
    }
    return lines_;
  }

 private:
  std::ifstream file_;
  std::vector<char> piece_ = std::vector<char>(kMiB);
  std::size_t lines_ = 0;
};

// Until then every connection has a response that waits: no log is asked for any more.
bool no_more_is_asked_for() {
  using Clock = std::chrono::steady_clock;
  int known = -1;
  Clock::time_point since;
  return eventually(
      [&] {
        if (const int now = logs_asked_for; now != known) {
          known = now;
          since = Clock::now();
        }
        return Clock::now() - since > std::chrono::seconds(3);
      },
      kForLargeResponses);
}

// What it takes with nothing to do but one small log.
std::size_t peak_at_rest() {
  Workplace place;
  Appliance appliance;
  configure(place, {appliance.source("a", "file:" + (place / "password").string())});
  Child daemon = place.start("run");
  EXPECT_TRUE(eventually([&] { return !place.lines().empty(); })) << daemon.err();
  return daemon.peak_memory_bytes();
}

TEST(Memory, StaysWithinItsLimitThroughBombsFloodsAndAFullSink) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer takes a multiple of the memory, and minutes to move large bodies about";
#endif
  const std::size_t base = peak_at_rest();
  Workplace place;
  Appliance appliance(hostile);
  appliance.sessions = 4;
  std::vector<std::string> sources;
  for (int i = 0; i < kSources; ++i)
    sources.push_back(appliance.source(fmt::format("s{}", i), "file:" + (place / "password").string()));
  configure(place, sources);

  // 8 MiB of output, a fraction of what there is.
  Child daemon = place.start_program(
      {"/bin/sh", "-c", "ulimit -S -f 16384; exec \"$@\"", "sh", SESSIONLOGD, "run", "-c", place.config().string()});
  ASSERT_TRUE(
      eventually([&] { return daemon.err().find("cannot take events now") != std::string::npos; }, kForLargeResponses))
      << daemon.err();
  EXPECT_TRUE(no_more_is_asked_for());
  const std::size_t peak_while_full = daemon.peak_memory_bytes();

  rlimit unlimited{};
  ASSERT_EQ(prlimit(daemon.pid(), RLIMIT_FSIZE, nullptr, &unlimited), 0);
  unlimited.rlim_cur = unlimited.rlim_max;
  ASSERT_EQ(prlimit(daemon.pid(), RLIMIT_FSIZE, &unlimited, nullptr), 0);
  constexpr std::size_t kOwed = kSources * (2 * kEntries + kUnreadable);
  LineCount lines(place.output());
  EXPECT_TRUE(eventually([&] { return lines.now() >= kOwed || !daemon.is_running(); }, kForLargeResponses))
      << daemon.err();
  const std::size_t peak = daemon.peak_memory_bytes();
  daemon.signal(SIGTERM);
  EXPECT_EQ(daemon.wait(), 0) << daemon.err();

  std::map<std::string, std::string> ids;
  std::size_t repeated = 0;
  for (const std::string& line : place.lines()) {
    const auto [before, is_first] =
        ids.emplace(line.substr(line.find("\"event\":{\"id\":\"") + 15, 32), line.substr(0, 700));
    if (!is_first && ++repeated < 3) ADD_FAILURE() << "twice: " << before->second << "\n" << line.substr(0, 700);
  }
  EXPECT_EQ(repeated, 0u);
  EXPECT_EQ(ids.size(), kOwed);

  // 13 bytes an entry, vectors that doubled, and one row of the database's cache for each 64 of them.
  constexpr std::size_t kState = kOwed * 64;
  std::cout << fmt::format("at rest {} KiB, while full {} KiB more, in all {} KiB more\n", base / 1024,
                           (peak_while_full - base) / 1024, (peak - base) / 1024);
  EXPECT_LE(peak - base, kMemory + kState);
}

}  // namespace
}  // namespace sessionlogd::test
