#include "sinks/kafka/kafka_turns.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

Patience patience_of(std::chrono::milliseconds most) { return Patience({}, most, 0ms); }

TEST(KafkaTurns, AreGivenToSoManyAtOnce) {
  KafkaTurns turns(2);
  Patience none = patience_of(0ms);
  const KafkaTurns::Turn first = turns.wait(none);
  KafkaTurns::Turn second = turns.wait(none);
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(turns.wait(none));
  EXPECT_EQ(turns.waiting(), 0u) << "who has given up is waited for by nobody";
  second.reset();
  EXPECT_TRUE(turns.wait(none));
}

TEST(KafkaTurns, GoToWhoCameFirst) {
  KafkaTurns turns(1);
  Patience none = patience_of(0ms);
  KafkaTurns::Turn ours = turns.wait(none);
  std::promise<void> read;
  std::future<bool> other = std::async(std::launch::async, [&] {
    Patience long_one = patience_of(60s);
    const KafkaTurns::Turn its = turns.wait(long_one);
    read.get_future().wait();
    return its != nullptr;
  });
  while (turns.waiting() == 0) std::this_thread::yield();
  ours.reset();
  EXPECT_FALSE(turns.wait(none)) << "who gives its turn away stands behind the others";
  read.set_value();
  EXPECT_TRUE(other.get());
  EXPECT_TRUE(turns.wait(none));
}

}  // namespace
}  // namespace sessionlogd
