#include "core/state/committer.h"

#include <gtest/gtest.h>

#include "tests/core/captured_log.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

const CommitSettings kAtOnce{.interval = 0ms, .bytes = 1, .first_retry = 0ms, .patience_at_stop = 0ms};

Batch batch(std::string events) {
  Batch made;
  made.index.push_back({static_cast<std::uint32_t>(events.size()), 1, 1});
  made.events = std::move(events);
  return made;
}

// Refuses as often as it is told, then takes everything. Remembers what it was offered.
class FakeSink : public Sink {
 public:
  FakeSink(int refusals, ErrorKind kind) : refusals_(refusals), kind_(kind) {}
  void recover(StateVisitor&) override {}
  Result<void> commit(std::span<const Batch> batches) override {
    std::string text;
    for (const Batch& one : batches) text += one.events;
    offered.push_back(text);
    if (refusals_-- > 0) return Error(kind_, "not now");
    taken += text;
    return {};
  }
  Result<void> look() override { return ++looks < lost_at_look ? Result<void>() : Error(kind_, "it is gone"); }
  std::string_view name() const override { return "fake"; }

  int looks = 0, lost_at_look = 1 << 30;
  std::vector<std::string> offered;
  std::string taken;

 private:
  int refusals_;
  ErrorKind kind_;
};

TEST(BatchQueue, HandsOverInOrderAndEnds) {
  BatchQueue queue(1 << 20);
  std::vector<Batch> taken;
  queue.push(batch("a"));
  queue.push(batch("b"));
  EXPECT_TRUE(queue.take(taken, 1, 24h));
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].events + taken[1].events, "ab");
  queue.push(batch("c"));
  queue.close();
  taken.clear();
  EXPECT_TRUE(queue.take(taken, 1 << 20, 24h));
  EXPECT_EQ(taken.size(), 1u);
  taken.clear();
  EXPECT_FALSE(queue.take(taken, 1, 24h));
}

TEST(BatchQueue, HandsOverWhatTwoThreadsPushOnceAndInTheirOrder) {
  constexpr int kEach = 2'000;
  BatchQueue queue(std::size_t{1} << 30);
  const auto push_all = [&queue](std::string source) {
    for (int i = 0; i < kEach; ++i) {
      Batch one = batch(std::to_string(i));
      one.source_id = source;
      queue.push(std::move(one));
    }
  };
  std::thread a(push_all, "a"), b(push_all, "b");
  std::thread closing([&] {
    a.join();
    b.join();
    queue.close();
  });
  int next_of_a = 0, next_of_b = 0;
  const std::size_t some = 10 * batch("1").bytes();
  for (std::vector<Batch> taken; queue.take(taken, some, 24h); taken.clear()) {
    for (const Batch& one : taken)
      EXPECT_EQ(one.events, std::to_string((one.source_id == "a" ? next_of_a : next_of_b)++));
  }
  closing.join();
  EXPECT_EQ(next_of_a, kEach);
  EXPECT_EQ(next_of_b, kEach);
}

TEST(BatchQueue, WhatComesAfterALullIsTakenAtOnceAndTheNextAfterTheGap) {
  BatchQueue queue(std::size_t{1} << 30);
  queue.push(batch("a"));
  std::vector<Batch> taken;
  EXPECT_TRUE(queue.take(taken, std::size_t{1} << 20, 24h));
  ASSERT_EQ(taken.size(), 1u);
  taken.clear();
  std::thread pushing([&] {
    queue.push(batch("b"));
    queue.push(batch("c"));
  });
  EXPECT_TRUE(queue.take(taken, 2 * batch("b").bytes(), 24h));
  pushing.join();
  EXPECT_EQ(taken.size(), 2u);
}

TEST(BatchQueue, SaysOnceThatThereIsRoom) {
  const std::size_t size = batch("a").bytes();
  BatchQueue queue(2 * size);
  int room = 0;
  queue.memory().on_room([&] { ++room; });
  queue.push(batch("a"));
  EXPECT_FALSE(queue.full());
  queue.push(batch("b"));
  queue.push(batch("c"));
  EXPECT_TRUE(queue.full());
  std::vector<Batch> taken;
  EXPECT_TRUE(queue.take(taken, 1 << 30, 24h));  // full: it does not linger
  EXPECT_TRUE(queue.full());
  const std::span<Batch> all = taken;
  queue.release(all.subspan(0, 1));
  EXPECT_TRUE(queue.full());
  EXPECT_EQ(room, 0);
  queue.release(all.subspan(1, 1));
  EXPECT_FALSE(queue.full());
  queue.release(all.subspan(2, 1));
  EXPECT_EQ(room, 1);
  EXPECT_EQ(queue.bytes(), 0u);
}

// Pushes batches of so many bytes each, takes them and is done with them.
void run_through(BatchQueue& queue, std::initializer_list<std::size_t> sizes) {
  for (const std::size_t size : sizes) queue.push(batch(std::string(size, 'x')));
  std::vector<Batch> taken;
  EXPECT_TRUE(queue.take(taken, 1, 24h));
  queue.release(taken);
}

TEST(BatchQueue, MemoryOfLargeBatchesGoesRound) {
  constexpr std::size_t kLarge = 1 << 20;
  BatchQueue queue(4 * kLarge);
  EXPECT_EQ(queue.take_spare().capacity(), std::string().capacity());
  run_through(queue, {kLarge, 10, kLarge});
  for (int i = 0; i < 2; ++i) {
    const std::string spare = queue.take_spare();
    EXPECT_TRUE(spare.empty());
    EXPECT_GE(spare.capacity(), kLarge);
  }
  EXPECT_EQ(queue.take_spare().capacity(), std::string().capacity()) << "a small one is not worth it";
}

TEST(BatchQueue, WhatIsSpareAndWhatWaitsAreWithinTheBoundTogether) {
  constexpr std::size_t kLarge = 1 << 20;
  BatchQueue queue(5 * kLarge / 2);
  run_through(queue, {kLarge, kLarge, kLarge});
  queue.push(batch(std::string(kLarge, 'x')));
  EXPECT_GE(queue.take_spare().capacity(), kLarge);
  EXPECT_LT(queue.take_spare().capacity(), kLarge);
}

TEST(Committer, OffersTheSameBatchesUntilTheyAreTaken) {
  BatchQueue queue(1 << 20);
  FakeSink sink(5, ErrorKind::kTryLater);
  CommitSettings patient = kAtOnce;
  patient.patience_at_stop = 1h;
  Committer committer(queue, sink, patient, [](const Error&) { FAIL(); });
  queue.push(batch("a"));
  queue.push(batch("b"));
  queue.close();
  committer.start();
  EXPECT_TRUE(committer.join());
  EXPECT_EQ(sink.offered, std::vector<std::string>(6, "ab"));
  EXPECT_EQ(sink.taken, "ab");
  EXPECT_EQ(committer.commits(), 1u);
  EXPECT_EQ(committer.events(), 2u);
  EXPECT_FALSE(committer.waiting());
  EXPECT_EQ(queue.bytes(), 0u);
}

// Refuses each batch once.
class FlutteringSink : public FakeSink {
 public:
  FlutteringSink() : FakeSink(0, ErrorKind::kTryLater) {}
  Result<void> commit(std::span<const Batch> batches) override {
    refuses_ = !refuses_;
    if (refuses_) return Error(ErrorKind::kTryLater, "not now");
    return FakeSink::commit(batches);
  }

 private:
  bool refuses_ = false;
};

TEST(Committer, SaysOnceOfASinkThatComesAndGoes) {
  const CapturedLog log;
  BatchQueue queue(1 << 20);
  FlutteringSink sink;
  CommitSettings settings = kAtOnce;
  settings.bytes = 1;
  settings.patience_at_stop = 1h;
  Committer committer(queue, sink, settings, [](const Error&) { FAIL(); });
  committer.start();
  for (std::uint64_t i = 1; i <= 20; ++i) {
    queue.push(batch("a"));
    while (committer.commits() < i) std::this_thread::yield();
  }
  queue.close();
  EXPECT_TRUE(committer.join());
  EXPECT_LE(log.count("cannot take events now"), 2) << log.text();
  EXPECT_EQ(log.count("takes events again"), 1) << log.text();
}

TEST(Committer, CountsWhatItCommits) {
  BatchQueue queue(1 << 20);
  FakeSink sink(2, ErrorKind::kTryLater);
  CommitSettings patient = kAtOnce;
  patient.patience_at_stop = 1h;
  Committer committer(queue, sink, patient, [](const Error&) { FAIL(); });
  queue.push(batch("abc\n"));
  queue.push(Batch());
  queue.push(batch("d\n"));
  queue.close();
  EXPECT_FALSE(committer.view().last_commit);
  committer.start();
  EXPECT_TRUE(committer.join());
  const CommitterView view = committer.view();
  EXPECT_EQ(view.ok, 1u);
  EXPECT_EQ(view.failed, 2u);
  EXPECT_EQ(view.events, 2u);
  EXPECT_EQ(view.event_bytes, 6u);
  EXPECT_EQ(view.commit_seconds.count(), 3u);
  EXPECT_EQ(view.delivery_delay_seconds.count(), 2u);
  EXPECT_TRUE(view.last_commit);
  EXPECT_FALSE(view.committing_for);
  EXPECT_EQ(view.error, "") << "it is not waited for any more";
  EXPECT_EQ(queue.pushed(), 3u);
  EXPECT_EQ(queue.committed(), 3u);
}

TEST(Committer, EndsOnAFatalError) {
  BatchQueue queue(1 << 20);
  FakeSink sink(1, ErrorKind::kRefused);
  int fatal = 0;
  Committer committer(queue, sink, kAtOnce, [&](const Error& error) { fatal += error.kind == ErrorKind::kRefused; });
  queue.push(batch("a"));
  committer.start();
  EXPECT_FALSE(committer.join());
  EXPECT_EQ(fatal, 1);
  EXPECT_EQ(sink.offered.size(), 1u);
  EXPECT_EQ(committer.commits(), 0u);
  EXPECT_NE(queue.bytes(), 0u);
}

TEST(Committer, SaysThatItLeftSomethingBehind) {
  BatchQueue queue(1 << 20);
  FakeSink sink(1'000'000, ErrorKind::kTryLater);
  Committer committer(queue, sink, kAtOnce, [](const Error&) { FAIL(); });
  queue.push(batch("a"));
  queue.close();
  committer.start();
  EXPECT_FALSE(committer.join());
  EXPECT_EQ(sink.taken, "");
}

// A lane that is lost waits for nobody: the next one begins when this has ended.
TEST(Committer, GivesUpWhatItOffersWhenTheLifeEnds) {
  BatchQueue queue(1 << 20);
  FakeSink sink(1'000'000, ErrorKind::kTryLater);
  CommitSettings patient = kAtOnce;
  patient.first_retry = 1h;
  patient.patience_at_stop = 1h;
  Committer committer(queue, sink, patient, [](const Error&) { FAIL(); });
  queue.push(batch("a"));
  committer.start();
  while (!committer.waiting()) std::this_thread::yield();
  queue.end();
  EXPECT_FALSE(committer.join());
}

TEST(Committer, SaysThatAnEndedLifeLeftSomethingBehind) {
  BatchQueue queue(1 << 20);
  FakeSink sink(0, ErrorKind::kTryLater);
  Committer committer(queue, sink, kAtOnce, [](const Error&) { FAIL(); });
  queue.push(batch("a"));
  queue.end();
  committer.start();
  EXPECT_FALSE(committer.join());
  EXPECT_EQ(sink.taken, "");
}

TEST(Committer, CommitsWhatThreadsPushInTheirOrder) {
  BatchQueue queue(1 << 20);
  FakeSink sink(3, ErrorKind::kTryLater);
  Committer committer(queue, sink, kAtOnce, [](const Error&) { FAIL(); });
  committer.start();
  std::string all;
  for (char c = 'a'; c <= 'z'; ++c) {
    queue.push(batch(std::string(1, c)));
    all += c;
  }
  while (queue.bytes() != 0) std::this_thread::yield();
  queue.close();
  EXPECT_TRUE(committer.join());
  EXPECT_EQ(sink.taken, all);
}

TEST(Committer, LooksAtWhatWasCommittedWhileNothingComes) {
  BatchQueue queue(1 << 20);
  FakeSink sink(0, ErrorKind::kRefused);
  sink.lost_at_look = 3;
  CommitSettings settings = kAtOnce;
  settings.looks_every = 1ms;
  std::string fatal;
  Committer committer(queue, sink, settings, [&](const Error& error) { fatal = error.detail; });
  committer.start();
  EXPECT_FALSE(committer.join()) << "it ends by itself";
  EXPECT_EQ(fatal, "it is gone");
  EXPECT_EQ(sink.looks, 3);
}

}  // namespace
}  // namespace sessionlogd
