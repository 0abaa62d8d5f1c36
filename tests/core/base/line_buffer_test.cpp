#include "core/base/line_buffer.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

TEST(LineBuffer, HandsOverWhatWasAppended) {
  std::mt19937_64 random(test::random_seed());
  std::string expected = "before", written = expected;
  LineBuffer line(written);
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t sizes[] = {0, random() % 50, random() % 1'000, 4'095 + random() % 3, random() % 20'000};
    const std::size_t size = random() % 100 == 0 ? sizes[3 + random() % 2] : sizes[random() % 3];
    const std::string piece(size, static_cast<char>('a' + random() % 26));
    expected += piece;
    line += piece;
    if (random() % 2 == 0) {
      expected += '.';
      line += '.';
    }
    line += std::string_view();
    if (random() % 4 != 0) continue;
    line.flush();
    ASSERT_EQ(written, expected);
    written.clear();
    expected.clear();
  }
}

}  // namespace
}  // namespace sessionlogd
