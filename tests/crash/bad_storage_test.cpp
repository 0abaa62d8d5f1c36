// ENOSPC, EIO, short writes and EINTR at every write, sync, rename, open and removal in turn, while the sink commits,
// rotates, compresses and recovers: it waits or ends, and whichever it does, nothing is lost or written twice.
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cerrno>
#include <iostream>
#include <random>

#include "sinks/formats/ecs.h"
#include "tests/crash/dying_sink.h"

namespace sessionlogd::test {
namespace {

enum class Fault { kNoSpace, kInputOutput, kShort, kInterrupted };

// The n-th call of all, counted from 1, goes wrong; those after it, too, as long as the fault lasts.
class FaultyOps : public FileOps {
 public:
  FaultyOps(Fault fault, long first, long count) : fault_(fault), first_(first), last_(first + count) {}

  ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) override {
    if (!is_turn()) return FileOps::pwritev(fd, pieces, count, offset);
    if (fault_ != Fault::kShort) return fail();
    const iovec half{pieces[0].iov_base, (pieces[0].iov_len + 1) / 2};
    return FileOps::pwritev(fd, &half, 1, offset);
  }
  int fdatasync(int fd) override { return may_fail() ? fail() : FileOps::fdatasync(fd); }
  int fsync(int fd) override { return may_fail() ? fail() : FileOps::fsync(fd); }
  int open(const char* path, int flags, mode_t mode) override {
    return may_fail() ? fail() : FileOps::open(path, flags, mode);
  }
  int rename(const char* from, const char* to) override { return may_fail() ? fail() : FileOps::rename(from, to); }
  int unlink(const char* path) override { return may_fail() ? fail() : FileOps::unlink(path); }

  bool came_to_it() const { return calls_ >= first_; }

 private:
  bool is_turn() {
    const long call = ++calls_;
    return call >= first_ && call < last_;
  }
  // Only writes are cut short or, in our use, interrupted.
  bool may_fail() { return is_turn() && fault_ != Fault::kShort && fault_ != Fault::kInterrupted; }
  int fail() const {
    errno = fault_ == Fault::kNoSpace ? ENOSPC : fault_ == Fault::kInputOutput ? EIO : EINTR;
    return -1;
  }

  const Fault fault_;
  const long first_, last_;
  std::atomic<long> calls_ = 0;  // the compressor calls from its thread
};

// Starts and commits as the daemon does: tries again when told to, starts again after an end.
class Daemon {
 public:
  Daemon(const SinkPlace& place, FileOps& ops) : place_(place), ops_(ops) {}

  // false: it could not get on, however often it tried.
  bool run(int commits) {
    std::mt19937_64 random(1);
    for (int tries = 0; tries < 200 && commits > 0; ++tries) {
      if (!sink_ && !start()) continue;
      if (batches_.empty()) {
        const std::uint64_t count = 1 + random() % 6;
        batches_.push_back(batch_of(1, next_, count, std::string(random() % 300, 'b')));
        next_ += count;
      }
      const Result<void> done = sink_->commit(batches_);
      if (!done && done.error().kind == ErrorKind::kTryLater) continue;
      if (!done) {
        sink_.reset();
        continue;
      }
      batches_.clear();
      --commits;
    }
    return commits == 0;
  }

 private:
  bool start() {
    CountingState state;
    auto sink = std::make_unique<FileSink>(place_.state_dir, place_.settings, kEcsFormat, ops_);
    try {
      sink->recover(state);
    } catch (const StateMismatch& error) {
      throw std::logic_error(std::string("state and output were torn apart: ") + error.what());
    } catch (const std::runtime_error&) {
      return false;
    }
    // What the source serves again is told apart by the state.
    EXPECT_TRUE(state.complaints().empty()) << state.complaints().front();
    next_ = state.count(1);
    batches_.clear();
    sink_ = std::move(sink);
    return true;
  }

  const SinkPlace& place_;
  FileOps& ops_;
  std::unique_ptr<FileSink> sink_;
  std::vector<Batch> batches_;
  std::uint64_t next_ = 0;
};

class BadStorage : public testing::TestWithParam<std::tuple<Fault, long>> {
 protected:
  BadStorage() { spdlog::set_level(spdlog::level::off); }
  ~BadStorage() override { spdlog::set_level(spdlog::level::info); }
};

TEST_P(BadStorage, IsWaitedForOrEndsTheDaemonButLosesNothing) {
  const auto [fault, lasting] = GetParam();
  long first = 1;
  for (bool came_to_it = true; came_to_it; ++first) {
    SCOPED_TRACE(first);
    SinkPlace place;
    place.settings.rotate.size_bytes = 1500;
    FaultyOps ops(fault, first, lasting);
    {
      Daemon daemon(place, ops);
      ASSERT_TRUE(daemon.run(6));
    }
    // A second life recovers what the first left, perhaps under the same fault.
    live_and_die(place, "commit.synced", static_cast<std::uint64_t>(first));
    {
      Daemon daemon(place, ops);
      ASSERT_TRUE(daemon.run(2));
    }
    ASSERT_EQ(judge(place), "");
    came_to_it = ops.came_to_it();
  }
  std::cout << first - 2 << " calls\n";
  EXPECT_GT(first, 30);
}

INSTANTIATE_TEST_SUITE_P(OnceAndForAWhile, BadStorage,
                         testing::Combine(testing::Values(Fault::kNoSpace, Fault::kInputOutput, Fault::kShort,
                                                          Fault::kInterrupted),
                                          testing::Values(1, 7)));

}  // namespace
}  // namespace sessionlogd::test
