#include "core/state/latest_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "tests/support/seed.h"

namespace sessionlogd {
namespace {

using Address = std::tuple<std::string, std::uint64_t, std::int32_t>;

Batch batch(std::string source_id, std::vector<StateRecord> records) {
  Batch batch;
  batch.source_id = std::move(source_id);
  batch.records = std::move(records);
  return batch;
}

std::map<Address, std::string> as_map(std::span<const LatestRows::Row> rows) {
  std::map<Address, std::string> all;
  for (const LatestRows::Row& row : rows) {
    const auto [at, fresh] =
        all.emplace(Address{*row.source_id, row.record->session_key, row.record->part}, row.record->value);
    EXPECT_TRUE(fresh) << *row.source_id << " " << row.record->session_key << " " << row.record->part;
  }
  return all;
}

TEST(LatestRows, OfOneAddressOnlyTheLastCounts) {
  const std::vector<Batch> batches = {
      batch("a", {{7, StateRecord::kSessionPart, "open"}, {7, 0, "keys"}, {8, 0, "other session"}}),
      batch("b", {{7, 0, "other source"}, {0, StateRecord::kSourcePart, "b's own"}}),
      batch("a", {{7, StateRecord::kSessionPart, "done"}, {7, 0, ""}, {0, StateRecord::kSourcePart, "a's own"}})};
  LatestRows latest;
  const std::map<Address, std::string> expected = {{{"a", 0, StateRecord::kSourcePart}, "a's own"},
                                                   {{"b", 0, StateRecord::kSourcePart}, "b's own"},
                                                   {{"a", 7, StateRecord::kSessionPart}, "done"},
                                                   {{"a", 7, 0}, ""},
                                                   {{"a", 8, 0}, "other session"},
                                                   {{"b", 7, 0}, "other source"}};
  EXPECT_EQ(as_map(latest.of(batches)), expected);
  EXPECT_EQ(as_map(latest.of(batches)), expected) << "the second time";
  EXPECT_TRUE(latest.of({}).empty());
}

TEST(LatestRows, AsIfEachWereStoredInTurn) {
  std::mt19937_64 random(test::random_seed());
  LatestRows latest;
  for (int turn = 0; turn < 200; ++turn) {
    std::vector<Batch> batches;
    std::map<Address, std::string> stored;
    for (auto left = random() % 20; left > 0; --left) {
      Batch& next = batches.emplace_back(batch(random() % 2 == 0 ? "a" : "b", {}));
      for (auto rows = random() % 20; rows > 0; --rows) {
        const auto& record = next.records.emplace_back(
            StateRecord{random() % 4, static_cast<std::int32_t>(random() % 4) - 2, std::to_string(random() % 100)});
        stored[{next.source_id, record.session_key, record.part}] = record.value;
      }
    }
    ASSERT_EQ(as_map(latest.of(batches)), stored);
  }
}

}  // namespace
}  // namespace sessionlogd
