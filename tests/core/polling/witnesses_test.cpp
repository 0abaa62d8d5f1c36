#include "core/polling/witnesses.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

class WitnessesTest : public testing::Test {
 protected:
  static ListedSession row(std::int64_t number, const std::string& status = "Success") {
    ListedSession row;
    row.id = fmt::format("session-{}", number);
    row.status = status;
    row.start = ReadTime{};
    row.start->instant = {number, 0};
    return row;
  }
  // Sessions that begin at each of these seconds.
  static std::vector<ListedSession> rows(std::int64_t from, std::int64_t to) {
    std::vector<ListedSession> all;
    for (std::int64_t number = from; number < to; ++number) all.push_back(row(number));
    return all;
  }
  bool lacks(const std::vector<ListedSession>& listing, std::optional<Instant> from = std::nullopt) {
    witnesses_.listing_begins();
    witnesses_.look_at(listing);
    return witnesses_.are_lacking(from);
  }

  static Dialect dialect() {
    Dialect dialect;
    dialect.sessions.final_words = {"Success"};
    return dialect;
  }
  const Dialect dialect_ = dialect();
  Witnesses witnesses_{dialect_};
};

TEST_F(WitnessesTest, AreTheNewestOfTheFinished) {
  std::vector<ListedSession> listing = rows(100, 120);
  listing.push_back(row(130, "Running"));
  EXPECT_FALSE(lacks(listing));
  EXPECT_FALSE(lacks(rows(120 - Witnesses::kMost, 120))) << "the older ones and the running one prove nothing";
  EXPECT_TRUE(lacks(rows(100, 119)));
}

TEST_F(WitnessesTest, ThatAreLackingAreLookedForUntilTheyAreShown) {
  EXPECT_FALSE(lacks(rows(100, 120)));
  EXPECT_TRUE(lacks({}));
  EXPECT_TRUE(lacks(rows(200, 220)));
  EXPECT_FALSE(lacks(rows(100, 120)));
}

TEST_F(WitnessesTest, NeedNotBeInAWindowThatBeginsLater) {
  EXPECT_FALSE(lacks(rows(100, 102)));
  EXPECT_FALSE(lacks({}, Instant{101, 0}));
  EXPECT_FALSE(lacks(rows(100, 102)));
  EXPECT_FALSE(lacks({}, Instant{101 - Witnesses::kOverlapSeconds, 0})) << "no two clocks agree to the second";
  EXPECT_FALSE(lacks(rows(100, 102)));
  EXPECT_TRUE(lacks({}, Instant{100 - Witnesses::kOverlapSeconds, 0}));
}

TEST_F(WitnessesTest, AreForgottenWhenASweepBegins) {
  EXPECT_FALSE(lacks(rows(100, 120)));
  witnesses_.forget();
  EXPECT_FALSE(lacks({}));
}

}  // namespace
}  // namespace sessionlogd
