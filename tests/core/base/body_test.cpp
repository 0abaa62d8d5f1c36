#include "core/base/body.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sessionlogd {
namespace {

TEST(Body, HasZerosBehindItsText) {
  Body body;
  for (const std::size_t size : {1u, 20'000u, 3u << 20}) {
    body.append(std::string(size, 'x'));
    for (std::size_t i = 0; i < Body::kPadding; ++i) ASSERT_EQ(body.text().data()[body.size() + i], 0);
  }
  EXPECT_EQ(body.size(), 1u + 20'000u + (3u << 20));
}

TEST(BodyPool, GivesItsBodiesNoMoreThanItsShare) {
  BodyPool pool(256u << 10);
  Body first = pool.take(), second = pool.take();
  ASSERT_TRUE(first.make_room(200u << 10));
  EXPECT_FALSE(second.make_room(100u << 10));
  EXPECT_TRUE(second.make_room(50u << 10)) << "all that is left, though not twice as much";
  EXPECT_LE(pool.bytes(), 256u << 10);
  first = Body();
  EXPECT_TRUE(second.make_room(100u << 10)) << "what is only kept makes way";
  EXPECT_LE(pool.bytes(), 256u << 10);
}

// A decoder asks for one more byte each time, and each time may copy all that is there.
TEST(BodyPool, GrowsInStepsEvenWhenItsShareIsNearlySpent) {
  BodyPool pool(256u << 10);
  Body first = pool.take(), second = pool.take();
  ASSERT_TRUE(first.make_room(100u << 10));
  ASSERT_TRUE(second.make_room(100u << 10));
  int steps = 0;
  while (steps < 100 && second.make_room(second.capacity() + 1)) ++steps;
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(second.capacity(), 116u << 10);
}

TEST(BodyPool, LeavesAnEighthOfItsShareToBodiesOfTheUsualSize) {
  BodyPool pool(1u << 20);
  std::vector<Body> large;
  for (large.push_back(pool.take()); large.back().make_room(110u << 10); large.push_back(pool.take())) {
  }
  EXPECT_EQ(large.size() - 1, 8u);
  Body usual = pool.take(), another = pool.take();
  EXPECT_TRUE(usual.make_room(64u << 10));
  EXPECT_TRUE(another.make_room(64u << 10));
  EXPECT_FALSE(another.make_room(65u << 10)) << "larger than usual";
  large.pop_back();
  large.pop_back();
  EXPECT_TRUE(another.make_room(65u << 10));
  EXPECT_LE(pool.bytes(), 1u << 20);
}

TEST(BodyPool, GivesNothingToABodyThatExpectsToBeLarge) {
  BodyPool pool;
  Body body = pool.take();
  EXPECT_FALSE(body.make_room(1, kSmallBody + 1));
  EXPECT_EQ(pool.bytes(), 0u);
  body.permit(std::make_shared<int>());
  EXPECT_TRUE(body.make_room(1, kSmallBody + 1));
}

TEST(BodyPool, GivesASmallBodyWhatItExpectsAtOnce) {
  BodyPool pool;
  Body body = pool.take();
  ASSERT_TRUE(body.make_room(1, 700'000));
  EXPECT_EQ(body.capacity(), 700'000u);
  EXPECT_FALSE(body.make_room(kSmallBody + 1));
}

TEST(BodyPool, BodyWithAPermitCountsNoMore) {
  BodyPool pool(256u << 10);
  auto permit = std::make_shared<int>();
  {
    Body large = pool.take();
    ASSERT_TRUE(large.make_room(100u << 10));
    large.permit(permit);
    EXPECT_EQ(pool.bytes(), 0u);
    EXPECT_TRUE(large.make_room(8u << 20));
    Body moved = std::move(large);
    EXPECT_EQ(permit.use_count(), 2);
  }
  EXPECT_EQ(permit.use_count(), 1) << "held as long as the buffer, and no longer";
  EXPECT_EQ(pool.bytes(), 0u) << "a large buffer is not kept";
}

TEST(BodyPool, KeepsBuffersForTheNextResponse) {
  BodyPool pool;
  const char* before = nullptr;
  {
    Body body = pool.take();
    body.append("text");
    before = body.text().data();
  }
  Body again = pool.take();
  again.append("more");
  EXPECT_EQ(again.text().data(), before);
}

TEST(BodyPool, MayEndBeforeItsBodies) {
  Body body;
  {
    BodyPool pool;
    body = pool.take();
    body.append("text");
  }
  EXPECT_EQ(body.text(), "text");
}

}  // namespace
}  // namespace sessionlogd
