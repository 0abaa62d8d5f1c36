// The watchdog is fed only when every loop has answered.
#include "daemon/service/pulse.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <future>

#include "core/base/memory_shares.h"
#include "core/http/curl_client.h"
#include "core/state/committer.h"
#include "tests/daemon/service/notify_socket.h"

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;

// Takes everything at once, or, while it is held, when it is released.
class HeldSink : public Sink {
 public:
  void recover(StateVisitor&) override {}
  Result<void> commit(std::span<const Batch>) override {
    if (!held) return {};
    entered.set_value();
    released.get_future().wait();
    return {};
  }
  std::string_view name() const override { return "held"; }

  std::atomic<bool> held = false;
  std::promise<void> entered, released;
};

class PulseTest : public testing::Test {
 protected:
  PulseTest() {
    ::setenv("NOTIFY_SOCKET", path_.c_str(), 1);
    shards_.push_back(std::make_unique<Shard>(
        MemoryShares{}, [](auto& io) { return std::make_unique<CurlClient>(io); }, nullptr, fingerprint_bytes_,
        Shard::MakeEncoder(), PollMode::kForever, 1));
    committer_.start();
    shards_.front()->start([] {});
    service_.ready();
    pulse_.know(shards_, [this] { return committer_.has_turned(); });
    pulse_.watch();
  }

  ~PulseTest() override {
    for (const auto& shard : shards_) shard->join();
    queue_.close();
    committer_.join();
    ::unsetenv("NOTIFY_SOCKET");
  }

  // How often the watchdog was fed so far.
  long fed() { return std::ranges::count(systemd_.told(), "WATCHDOG=1"); }

  // Everything that was posted to the shard before has run.
  void let_shard_answer() {
    std::promise<void> done;
    shards_.front()->post([&] { done.set_value(); });
    done.get_future().wait();
  }

  // Asked before, the committer has turned since.
  void let_committer_turn() {
    const std::uint64_t before = committer_.turns();
    queue_.push(Batch());
    while (committer_.turns() == before) std::this_thread::yield();
  }

  const std::string path_ = fmt::format("{}pulse_test.{}", testing::TempDir(), ::getpid());
  NotifySocket systemd_{path_};
  boost::asio::io_context main_{1};
  BatchQueue queue_{1 << 20};
  HeldSink sink_;
  Committer committer_{queue_, sink_, {.interval = 0ms}, [](const Error&) {}};
  ServiceNotify service_;
  Pulse pulse_{main_, service_, [](SteadyTime) { return std::string("well"); }};
  std::atomic<std::size_t> fingerprint_bytes_ = 0;
  std::vector<std::unique_ptr<Shard>> shards_;
  const SteadyTime start_ = SteadyClock::now();
};

TEST_F(PulseTest, FeedsTheWatchdogWhileEveryLoopAnswers) {
  for (int day = 0; day < 3; ++day) {
    pulse_.beat(start_ + day * 24h);
    let_shard_answer();
    let_committer_turn();
  }
  EXPECT_EQ(fed(), 3);
}

TEST_F(PulseTest, StarvesItWhenAShardIsStuckAndFeedsItAgainAfterwards) {
  std::promise<void> release;
  shards_.front()->post([&] { release.get_future().wait(); });
  pulse_.beat(start_);
  pulse_.beat(start_ + 30s);
  EXPECT_EQ(fed(), 2);
  pulse_.beat(start_ + 31s);
  pulse_.beat(start_ + 24h);
  EXPECT_EQ(fed(), 2);
  ASSERT_EQ(pulse_.heartbeat().silent(start_ + 31s).size(), 1u);
  EXPECT_EQ(pulse_.heartbeat().silent(start_ + 31s).front().name, "shard 0");
  release.set_value();
  let_shard_answer();
  let_committer_turn();
  pulse_.beat(start_ + 25h);
  EXPECT_EQ(fed(), 3);
}

TEST_F(PulseTest, LetsOthersSeeThatTheMainLoopDoesNotTurn) {
  pulse_.beat(start_);
  let_shard_answer();
  EXPECT_TRUE(pulse_.heartbeat().silent(start_ + 30s).empty());
  ASSERT_EQ(pulse_.heartbeat().silent(start_ + 31s).size(), 1u);
  EXPECT_EQ(pulse_.heartbeat().silent(start_ + 31s).front().name, "main thread");
  pulse_.beat(start_ + 32s);
  let_shard_answer();
  EXPECT_TRUE(pulse_.heartbeat().silent(start_ + 33s).empty());
}

TEST_F(PulseTest, HasMorePatienceWithACommit) {
  sink_.held = true;
  queue_.push(Batch());
  sink_.entered.get_future().wait();
  pulse_.beat(start_);
  let_shard_answer();
  pulse_.beat(start_ + 15min);
  let_shard_answer();
  EXPECT_EQ(fed(), 2);
  pulse_.beat(start_ + 16min);
  EXPECT_EQ(fed(), 2);
  sink_.released.set_value();
}

}  // namespace
}  // namespace sessionlogd::test
