#include "core/http/gzip_decoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "tests/support/seed.h"
#include "tests/support/test_server.h"

namespace sessionlogd {
namespace {

using Step = GzipDecoder::Step;

TEST(GzipDecoder, GivesTheSameWhateverThePieces) {
  std::mt19937_64 random(test::random_seed());
  for (int round = 0; round < 200; ++round) {
    std::string text(random() % 5'000, '\0');
    for (char& c : text) c = static_cast<char>('a' + random() % (1 + random() % 20));
    const std::string packed = test::gzip(text);
    GzipDecoder decoder;
    std::string decoded;
    for (std::size_t at = 0; at < packed.size();) {
      std::string_view piece = std::string_view(packed).substr(at, 1 + random() % 300);
      at += piece.size();
      for (Step step = Step::kNeedsRoom; step == Step::kNeedsRoom;) {
        std::vector<char> room(1 + random() % 100);
        std::size_t filled = 0;
        step = decoder.decode(piece, room, filled);
        ASSERT_NE(step, Step::kFaulty);
        decoded.append(room.data(), filled);
      }
      ASSERT_TRUE(piece.empty());
      EXPECT_EQ(decoder.complete(), at == packed.size());
    }
    ASSERT_EQ(decoded, text);
  }
}

TEST(GzipDecoder, StopsWhereTheRoomEnds) {
  const std::string bomb = test::gzip(std::string(1u << 20, '\0'));
  GzipDecoder decoder;
  std::string_view from = bomb;
  std::vector<char> room(1'000);
  std::size_t filled = 0;
  EXPECT_EQ(decoder.decode(from, room, filled), Step::kNeedsRoom);
  EXPECT_EQ(filled, 1'000u);
  EXPECT_FALSE(decoder.complete());
}

}  // namespace
}  // namespace sessionlogd
