#include "core/entries/emission_order.h"

#include <algorithm>
#include <limits>

namespace sessionlogd {
namespace {

constexpr Instant kNoTime{std::numeric_limits<std::int64_t>::max(), 0};  // later than any

}  // namespace

std::span<const std::uint32_t> EmissionOrder::by_time(const ZoneRules& zone, std::span<const Entry> log) {
  places_.clear();
  for (std::uint32_t i = 0; i < log.size(); ++i) places_.push_back(in_time(zone, log[i], i));
  std::ranges::sort(places_);
  by_time_.clear();
  for (const Place& next : places_) by_time_.push_back(next.number());
  return by_time_;
}

std::span<const Emission> EmissionOrder::sort(const ZoneRules& zone, std::span<const Entry> log,
                                              std::span<const Emission> found) {
  places_.clear();
  bool has_twins = false;
  for (std::uint32_t i = 0; i < found.size(); ++i) {
    if (found[i].change == Change::kAdopted) continue;
    has_twins |= found[i].has_twin;
    places_.push_back(place_of(zone, log, found[i], i));
  }
  const bool is_sorted = std::ranges::is_sorted(places_);
  if (!is_sorted) std::ranges::sort(places_);
  emissions_.clear();
  for (const Place& next : places_) emissions_.push_back(found[next.number()]);
  if (!is_sorted && has_twins) number_twins(log, found);
  // They stood last, so that the others have the ordinals before theirs.
  std::erase_if(emissions_, [&](const Emission& emission) { return rank_of(emission) == kHeldBack; });
  return emissions_;
}

EmissionOrder::Place EmissionOrder::place_of(const ZoneRules& zone, std::span<const Entry> log,
                                             const Emission& emission, std::uint32_t number) const {
  const std::uint32_t rank = rank_of(emission);
  if (rank == kNews) return in_time(zone, log[emission.index], number);
  const std::int64_t seconds = rank == kHeldBack ? kNoTime.seconds : std::numeric_limits<std::int64_t>::min();
  return {seconds, std::uint64_t{rank} << 32 | number};
}

EmissionOrder::Place EmissionOrder::in_time(const ZoneRules& zone, const Entry& entry, std::uint32_t number) {
  Instant at = kNoTime;
  if (entry.fault == nullptr && entry.log_time) at = zone.to_utc(*entry.log_time);
  return {at.seconds, std::uint64_t{at.nanos} << 32 | number};
}

// New twins take their ordinals in the order in which they are emitted: after a crash between two batches, or in the
// middle of one, the ones that are in the output must be the first, or they would not be found again.
void EmissionOrder::number_twins(std::span<const Entry> log, std::span<const Emission> found) {
  const auto by_identity = [&](std::span<const Emission> emissions, std::vector<std::uint32_t>& order) {
    order.clear();
    for (std::uint32_t i = 0; i < emissions.size(); ++i) {
      if (emissions[i].has_twin) order.push_back(i);
    }
    std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return log[emissions[i].index].base; });
  };
  by_identity(found, numbered_);
  by_identity(emissions_, to_number_);
  for (std::size_t i = 0; i < numbered_.size(); ++i) emissions_[to_number_[i]].key = found[numbered_[i]].key;
}

}  // namespace sessionlogd
