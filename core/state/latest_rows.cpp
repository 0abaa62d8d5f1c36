#include "core/state/latest_rows.h"

#include <algorithm>
#include <compare>

namespace sessionlogd {
namespace {

// The key first: it tells nearly all of them apart.
std::strong_ordering by_address(const LatestRows::Row& a, const LatestRows::Row& b) {
  if (const auto by_key = a.record->session_key <=> b.record->session_key; by_key != 0) return by_key;
  if (const auto by_part = a.record->part <=> b.record->part; by_part != 0) return by_part;
  return *a.source_id <=> *b.source_id;
}

bool latest_first(const LatestRows::Row& a, const LatestRows::Row& b) {
  const auto order = by_address(a, b);
  return order != 0 ? order < 0 : a.number > b.number;
}

}  // namespace

std::span<const LatestRows::Row> LatestRows::of(std::span<const Batch> batches) {
  rows_.clear();
  for (const Batch& batch : batches) {
    for (const StateRecord& record : batch.records) rows_.push_back({&batch.source_id, &record, rows_.size()});
  }
  std::sort(rows_.begin(), rows_.end(), latest_first);
  const auto same_address = [](const Row& a, const Row& b) { return by_address(a, b) == 0; };
  rows_.erase(std::unique(rows_.begin(), rows_.end(), same_address), rows_.end());
  return rows_;
}

}  // namespace sessionlogd
