// How much faster two shards are than one with the same work, on two cores: wall clock from the start of the threads to
// the commit of the last entry. All that a shard does with a response is in it, and all that shards share: the queue,
// the committer on a thread of its own, the allocator, the caches. Left out are sockets, since a server would take the
// cores that are to be measured, and what a sink does with a batch: a response is copied into its body on the shard's
// thread, as libcurl's callback does, and the sink discards.
//
// Each session grows while it is read: of each response the last kGrowth entries are new, those before are known.
//
// Two cores may be less than twice one: two threads of one core, say, or other programs run. So the same is done by two
// processes of one shard each, with half of the work and of the memory each. They share nothing but the machine: what
// two shards lack to them is what sharing costs. One shard, two, and two processes take turns.
//
// Prints one line per figure: name, ours, against, ratio, at least, aim.
#include "bench/responses_at_hand.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/cpu_seconds.h"
#include "bench/median.h"
#include "config/load.h"
#include "core/base/memory_shares.h"
#include "core/http/large_body_permit.h"
#include "core/polling/shard.h"
#include "core/state/committer.h"
#include "sinks/formats/ecs.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kSources = 16, kSessions = 50;  // of each source
constexpr unsigned kEntries = 200, kGrowth = 20;   // of each session in the end, and with each response
constexpr int kRounds = 11;
constexpr std::size_t kMemory = 512u << 20;  // the default of daemon.memory

std::string session_id(unsigned number) { return fmt::format("90faa259-fbf6-493a-b492-{:012x}", number); }

// ---- The responses

// The entries of any session's log, and where each ends.
struct LogText {
  std::string text;
  std::array<std::size_t, kEntries + 1> ends{};

  LogText() {
    for (unsigned i = 0; i < kEntries; ++i) {
      text += fmt::format(
          R"({}{{"status":"Success","logTime":"2020-06-20T19:{:02}:13.{:06}","message":"Creating snapshot snap-{:08x} of volume vol-0a1b2c3d4e5f","executionStartTime":"2020-06-20T18:12:04.{:06}","executionDuration":{}}})",
          i == 0 ? "" : ",", i % 60, 100'000 + i, i, 200'000 + i, i);
      ends[i + 1] = text.size();
    }
  }
};
const LogText log_text;
const std::string began = fmt::format("{:%FT%TZ}", fmt::gmtime(std::time(nullptr) - 60));

// How many entries each session has shown. A source's is its shard's alone, so it has its own cache lines.
struct alignas(128) Shown {
  std::array<std::uint16_t, kSessions> entries{};
};
std::array<Shown, kSources> shown;

void append_log(unsigned number, std::string_view id, Body& body) {
  std::uint16_t& entries = shown[number / kSessions].entries[number % kSessions];
  entries = static_cast<std::uint16_t>(std::min(entries + kGrowth, kEntries));
  body.append(R"({"sessionId":")");
  body.append(id);
  body.append(R"(","log":[)");
  body.append(std::string_view(log_text.text).substr(0, log_text.ends[entries]));
  body.append("]}");
}

}  // namespace

void response_at_hand(const HttpRequest& request, Body& body) {
  constexpr std::string_view kSessionsPath = "/api/v1/sessions/";
  const std::string_view target = request.target;
  if (!target.starts_with(kSessionsPath)) return body.append("{}");
  const std::string_view id = target.substr(kSessionsPath.size(), 36);
  unsigned number = 0;
  std::from_chars(id.data() + id.rfind('-') + 1, id.data() + id.size(), number, 16);
  if (target.ends_with("/log")) return append_log(number, id, body);
  body.append(fmt::format(R"({{"id":"{}","type":"Policy","status":"Running","executionStartTime":"{}"}})", id, began));
}

namespace {

// ---- The work

// Discards, and tells when so many entries were committed.
class Nowhere : public Sink {
 public:
  explicit Nowhere(std::uint64_t entries) : left_(entries) {}
  void recover(StateVisitor&) override {}
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches) override {
    const bool before = left_ == 0;
    for (const Batch& batch : batches) left_ -= batch.index.size();
    if (!before && left_ == 0) all_.set_value();
    return {};
  }
  std::string_view name() const override { return "nowhere"; }
  void wait_for_all() { all_.get_future().wait(); }

 private:
  std::uint64_t left_;
  std::promise<void> all_;
};

SourceSettings make_source(unsigned number) {
  SourceSettings source;
  source.name = source.id = fmt::format("source-{}", number);
  source.host = "127.0.0.1";
  source.url = "http://127.0.0.1";
  const BuiltInDialect& built_in = built_in_dialects().front();
  source.dialect =
      std::make_shared<const Dialect>(std::get<Dialect>(parse_dialect(built_in.toml, std::string(built_in.name))));
  source.api_version = source.dialect->version.fallback;
  source.token = Secret::parse("env:SHARDS_BENCH_TOKEN");
  for (unsigned i = 0; i < kSessions; ++i) source.sessions.push_back(session_id(number * kSessions + i));
  source.poll.interval = source.poll.max_interval = 1ms;
  source.poll.discovery_interval = 1h;
  source.poll.rate_per_second = 1e6;
  return source;
}

struct Cost {
  double wall = 0, cpu = 0;  // seconds
};

// The first so many sources, read by so many shards within so much memory.
class Work {
 public:
  Work(unsigned shard_count, unsigned sources, std::size_t memory)
      : memory_(MemoryShares::of(memory, shard_count, PollSettings{}.max_body_bytes, SinkSettings{}.commit_bytes)),
        queue_(std::make_shared<BatchQueue>(memory_.queue)),
        nowhere_(std::uint64_t{sources} * kSessions * kEntries),
        // The default of a second, which the last batches wait, would be most of what is measured.
        committer_(*queue_, nowhere_, {.interval = 5ms}, [](const Error&) { std::abort(); }) {
    shown.fill({});
    const auto make_encoder = [](const SourceSettings& settings) {
      return std::make_unique<EcsEncoder>(settings, "host-1", "0.1.0");
    };
    for (unsigned i = 0; i < shard_count; ++i) {
      shards_.push_back(std::make_unique<Shard>(
          memory_, [this](auto& io) { return std::make_unique<ResponsesAtHand>(io, memory_); }, nullptr,
          fingerprint_bytes_, make_encoder, PollMode::kForever, i));
    }
    for (unsigned number = 0; number < sources; ++number) {
      NewSource source{.queue = queue_,
                       .settings = std::make_shared<const SourceSettings>(make_source(number)),
                       .counters = std::make_shared<SourceCounters>(),
                       .restored = {}};
      shards_[number % shard_count]->sources().add(source);
    }
    queue_->memory().on_room([this] {
      for (const auto& shard : shards_) shard->notify_room();
    });
  }

  // Once.
  Cost run() {
    const double cpu = cpu_seconds();
    const auto begin = std::chrono::steady_clock::now();
    committer_.start();
    std::vector<std::promise<void>> ended(shards_.size());
    for (std::size_t i = 0; i < shards_.size(); ++i) shards_[i]->start([&end = ended[i]] { end.set_value(); });
    nowhere_.wait_for_all();
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    const Cost cost{wall.count(), cpu_seconds() - cpu};
    for (const auto& shard : shards_) shard->stop();
    for (std::promise<void>& end : ended) end.get_future().wait();
    for (const auto& shard : shards_) shard->join();
    queue_->close();
    committer_.join();
    return cost;
  }

 private:
  const MemoryShares memory_;
  const std::shared_ptr<BatchQueue> queue_;
  Nowhere nowhere_;
  Committer committer_;
  std::atomic<std::size_t> fingerprint_bytes_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
};

// A child that has made its half of the work, and does it when it is told to.
class Half {
 public:
  Half() {
    if (::pipe(go_) != 0 || ::pipe(cost_) != 0) throw std::runtime_error("pipe");
    child_ = ::fork();
    if (child_ == 0) do_it();
    ::close(std::exchange(cost_[1], -1));
    cost();  // it is ready
  }
  ~Half() {
    ::waitpid(child_, nullptr, 0);
    for (const int end : {go_[0], go_[1], cost_[0], cost_[1]}) ::close(end);
  }
  Half(const Half&) = delete;
  Half& operator=(const Half&) = delete;

  void begin() {
    if (::write(go_[1], "", 1) != 1) throw std::runtime_error("a child does not begin");
  }
  Cost cost() {
    Cost cost;
    if (::read(cost_[0], &cost, sizeof cost) != sizeof cost) throw std::runtime_error("a child has ended");
    return cost;
  }

 private:
  [[noreturn]] void do_it() {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Work half(1, kSources / 2, kMemory / 2);
    Cost cost;
    const bool told = ::write(cost_[1], &cost, sizeof cost) > 0 && ::read(go_[0], &cost, 1) == 1;
    if (told) cost = half.run();
    ::_exit(told && ::write(cost_[1], &cost, sizeof cost) > 0 ? 0 : 1);
  }

  int go_[2], cost_[2];
  pid_t child_ = -1;
};

Cost run_in_two_processes() {
  Half a, b;
  a.begin();
  b.begin();
  const Cost of_a = a.cost(), of_b = b.cost();
  return {std::max(of_a.wall, of_b.wall), of_a.cpu + of_b.cpu};
}

// Thousand entries per second.
double rate(double seconds) { return kSources * kSessions * kEntries / seconds / 1e3; }

void compare() {
  std::vector<double> one, two, apart, speed_up, of_cores, shared, two_cpu, apart_cpu, shared_cpu;
  for (int round = 0; round < kRounds; ++round) {
    const Cost of_one = Work(1, kSources, kMemory).run(), of_two = Work(2, kSources, kMemory).run(),
               of_apart = run_in_two_processes();
    one.push_back(rate(of_one.wall));
    two.push_back(rate(of_two.wall));
    apart.push_back(rate(of_apart.wall));
    two_cpu.push_back(rate(of_two.cpu));
    apart_cpu.push_back(rate(of_apart.cpu));
    speed_up.push_back(of_one.wall / of_two.wall);
    of_cores.push_back(of_one.wall / of_apart.wall);
    shared.push_back(of_apart.wall / of_two.wall);
    shared_cpu.push_back(of_apart.cpu / of_two.cpu);
  }
  const auto print = [](std::string_view name, std::vector<double>& ours, std::vector<double>& against,
                        std::vector<double>& ratio, std::string_view wanted) {
    fmt::print("{}|{:.0f}|{:.0f}|{:.2f}|{}\n", name, median(ours), median(against), median(ratio), wanted);
  };
  print("two shards to one, growing sessions, thousand entries per s", two, one, speed_up, ">= 1.7|>= 1.95");
  print("two processes that share nothing to one shard: what two cores give", apart, one, of_cores, "-|-");
  print("two shards to the two processes", two, apart, shared, ">= 0.85|>= 0.97");
  print("the same per CPU-s", two_cpu, apart_cpu, shared_cpu, ">= 0.85|>= 0.97");
}

}  // namespace
}  // namespace sessionlogd

int main() {
  ::setenv("SHARDS_BENCH_TOKEN", "token", 1);
  ::mallopt(M_MMAP_THRESHOLD, 512 << 10);  // as the daemon does
  spdlog::set_level(spdlog::level::warn);
  sessionlogd::compare();
}
