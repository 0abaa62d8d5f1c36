#include "core/base/body_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace sessionlogd {
namespace {

TEST(BodyHash, TellsBodiesThatDifferInOneByte) {
  for (const std::size_t size : {1u, 8u, 100u, 240u, 241u, 1'024u, 20'000u, 300'000u}) {
    std::string body(size, 'x');
    const std::uint64_t before = hash_body(body);
    EXPECT_EQ(hash_body(std::string(body)), before) << size;
    for (const std::size_t at : {std::size_t{0}, size / 2, size - 1}) {
      body[at] = 'y';
      EXPECT_NE(hash_body(body), before) << size << " at " << at;
      body[at] = 'x';
    }
    EXPECT_NE(hash_body(body + "x"), before) << size;
  }
  EXPECT_NE(hash_body(""), 0u);
}

}  // namespace
}  // namespace sessionlogd
