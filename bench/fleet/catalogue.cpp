#include "bench/fleet/catalogue.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace fleet {

namespace {

std::size_t spare_sessions(const Plan& plan) {
  const bool shifts = plan.faults.share(Fault::shift_insert) > 0 || plan.faults.share(Fault::shift_delete) > 0;
  return shifts && !plan.all_past ? std::clamp<std::size_t>(plan.sessions / 10, 4, 500) : 0;
}

}  // namespace

Catalogue::Catalogue(const Plan& plan, std::size_t appliance)
    : plan_(plan), spares_(spare_sessions(plan)), order_(plan.sessions + spares_.size()) {
  sessions_.reserve(order_.size());
  for (std::size_t i = 0; i < order_.size(); ++i) sessions_.push_back(make_session(plan, appliance, i));
  for (std::size_t i = 0; i < sessions_.size(); ++i) by_id_.emplace(sessions_[i].id, i);
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return sessions_[a].start < sessions_[b].start; });
  is_told_in_order_ = std::ranges::none_of(sessions_, &Session::is_told_oddly);
  const bool inserts = plan.faults.share(Fault::shift_insert) > 0, deletes = plan.faults.share(Fault::shift_delete) > 0;
  for (std::size_t i = 0; i < spares_.size(); ++i) {
    spares_[i] = inserts && (!deletes || i % 2 == 0) ? Presence::hidden : Presence::listed;
  }
}

bool Catalogue::exists(std::size_t number, Nanos at, Nanos freeze) const {
  if (number >= plan_.sessions && spares_[number - plan_.sessions] != Presence::listed) return false;
  return sessions_[number].exists(at, freeze);
}

bool Catalogue::is_gone(std::size_t number, Nanos at, Nanos freeze) const {
  if (number >= plan_.sessions && spares_[number - plan_.sessions] == Presence::deleted) return true;
  return sessions_[number].is_gone(at, freeze);
}

std::optional<std::size_t> Catalogue::find(std::string_view id, Nanos at, Nanos freeze) const {
  const auto [first, last] = by_id_.equal_range(id);
  const auto found = std::find_if(first, last, [&](const auto& each) { return exists(each.second, at, freeze); });
  return found == last ? std::nullopt : std::optional(found->second);
}

std::vector<std::uint32_t> Catalogue::order_told(Nanos at, Nanos freeze) const {
  std::vector<std::pair<Nanos, std::uint32_t>> told;
  for (std::uint32_t number = 0; number < sessions_.size(); ++number) {
    told.emplace_back(told_start(sessions_[number], at, freeze), number);
  }
  std::ranges::sort(told);
  std::vector<std::uint32_t> order;
  for (const auto& [start, number] : told) order.push_back(number);
  return order;
}

Catalogue::Rows Catalogue::rows(const Listing& listing, Nanos at, Nanos freeze) const {
  const std::vector<std::uint32_t> told = is_told_in_order_ ? std::vector<std::uint32_t>() : order_told(at, freeze);
  const std::vector<std::uint32_t>& order = is_told_in_order_ ? order_ : told;
  const auto start = [&](std::uint32_t number) { return told_start(sessions_[number], at, freeze); };
  const auto first = std::ranges::lower_bound(order, listing.from, {}, start);
  const auto last = std::ranges::upper_bound(first, order.end(), listing.to, {}, start);
  const auto count = static_cast<std::size_t>(std::max<std::ptrdiff_t>(last - first, 0));
  Rows rows;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t number =
        *(listing.newest_first ? last - 1 - static_cast<std::ptrdiff_t>(i) : first + static_cast<std::ptrdiff_t>(i));
    if (!exists(number, at, freeze) || !listing.shows(sessions_[number], at, freeze)) continue;
    if (rows.total >= listing.offset && rows.numbers.size() < listing.limit) rows.numbers.push_back(number);
    ++rows.total;
  }
  return rows;
}

void Catalogue::turn_spare(Presence from, Presence to, bool newest) {
  const auto turn = [&](std::uint32_t number) {
    if (number < plan_.sessions || spares_[number - plan_.sessions] != from) return false;
    spares_[number - plan_.sessions] = to;
    return true;
  };
  newest ? void(std::find_if(order_.rbegin(), order_.rend(), turn))
         : void(std::find_if(order_.begin(), order_.end(), turn));
}

}  // namespace fleet
