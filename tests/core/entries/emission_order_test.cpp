#include "core/entries/emission_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

using testing::ElementsAre;

const ZoneRules kUtc({});

Entry at(std::optional<std::int64_t> seconds, std::uint64_t base = 0) {
  Entry entry;
  if (seconds) entry.log_time = ReadTime{{*seconds, 0}, true};
  entry.base = base;
  return entry;
}

Emission emission(std::uint32_t index, Change change = Change::kNew) {
  return {.index = index, .hash = 0, .key = 100 + index, .change = change, .has_twin = false, .position = 0};
}

class EmissionOrderTest : public testing::Test {
 protected:
  // Which entries are emitted, in order.
  std::vector<std::uint32_t> sorted(const std::vector<Emission>& found) {
    std::vector<std::uint32_t> indices;
    for (const Emission& one : order_.sort(kUtc, log_, found)) indices.push_back(one.index);
    return indices;
  }

  std::vector<Entry> log_{at(5), at(std::nullopt), at(3), at(5), at(1)};
  const std::vector<Emission> all_new_{emission(0), emission(1), emission(2), emission(3), emission(4)};
  EmissionOrder order_;
};

TEST_F(EmissionOrderTest, IsByTimeThenByTheResponse) {
  order_.begin();
  EXPECT_THAT(sorted(all_new_), ElementsAre(4, 2, 0, 3, 1));
  EXPECT_THAT(order_.by_time(kUtc, log_), ElementsAre(4, 2, 0, 3, 1));
}

TEST_F(EmissionOrderTest, HasLastWhatHasAFault) {
  log_[4].fault = "it is no entry";
  order_.begin();
  EXPECT_THAT(sorted(all_new_), ElementsAre(2, 0, 3, 1, 4));
}

TEST_F(EmissionOrderTest, LeavesOutWhatWasAdopted) {
  order_.begin();
  EXPECT_THAT(sorted({emission(0), emission(2, Change::kAdopted), emission(4, Change::kChanged)}), ElementsAre(4, 0));
}

TEST_F(EmissionOrderTest, HasFirstWhatWasDeliveredBeforeAsItWasThen) {
  order_.rank_each(log_.size());
  order_.was_delivered(3, 0);
  order_.was_delivered(1, 1);
  order_.hold_back_if_new(3);
  order_.hold_back_if_new(2);
  EXPECT_THAT(sorted(all_new_), ElementsAre(3, 1, 4, 0));
  EXPECT_FALSE(order_.is_news(all_new_[3]));
  EXPECT_TRUE(order_.is_news(all_new_[4]));
  EXPECT_TRUE(order_.is_news(emission(3, Change::kChanged))) << "it changed since";
}

TEST_F(EmissionOrderTest, HoldsBackWhatIsNewUntilAnotherResponse) {
  order_.hold_back_all(log_.size());
  EXPECT_THAT(sorted({emission(0), emission(2, Change::kChanged)}), ElementsAre(2));
  order_.begin();
  EXPECT_THAT(sorted({emission(0), emission(2, Change::kChanged)}), ElementsAre(2, 0));
}

// Ordinals are in the keys: the first of the response has the first.
TEST_F(EmissionOrderTest, GivesTwinsTheirKeysInOrder) {
  log_ = {at(5, 7), at(3, 8), at(3, 7), at(1, 8)};
  std::vector<Emission> found{emission(0), emission(1), emission(2), emission(3)};
  for (Emission& one : found) one.has_twin = true;
  order_.begin();
  std::vector<std::pair<std::uint32_t, std::uint64_t>> keys;
  for (const Emission& one : order_.sort(kUtc, log_, found)) keys.emplace_back(one.index, one.key);
  EXPECT_THAT(keys, ElementsAre(std::pair(3, 101), std::pair(1, 103), std::pair(2, 100), std::pair(0, 102)));
}

}  // namespace
}  // namespace sessionlogd
