#include "core/polling/witnesses.h"

#include <algorithm>
#include <utility>

namespace sessionlogd {

void Witnesses::look_at(const std::vector<ListedSession>& rows) {
  const auto is_older = [](const Witness& a, const Witness& b) { return a.start > b.start; };
  for (const ListedSession& row : rows) {
    for (Witness& one : all_) one.shown |= one.id == row.id;
    if (!row.start || !dialect_.session_is_final(row.status)) continue;
    next_.push_back({row.id, row.start->instant, false});
    std::ranges::push_heap(next_, is_older);
    if (next_.size() <= kMost) continue;
    std::ranges::pop_heap(next_, is_older);
    next_.pop_back();
  }
}

bool Witnesses::are_lacking(std::optional<Instant> from) {
  const bool lacks = std::ranges::any_of(all_, [from](const Witness& one) {
    return !one.shown && (!from || one.start.seconds > from->seconds + kOverlapSeconds);
  });
  if (!lacks) all_ = std::exchange(next_, {});
  for (Witness& one : all_) one.shown = false;
  return lacks;
}

}  // namespace sessionlogd
