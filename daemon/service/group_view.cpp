#include "daemon/service/group_view.h"

#include <algorithm>
#include <array>

namespace sessionlogd {

std::string_view name_of(PartitionState state) {
  constexpr std::array<std::string_view, 7> kWords{"owned",   "taking_over", "waiting", "in_doubt",
                                                   "refused", "elsewhere",   "unowned"};
  return kWords[static_cast<std::size_t>(state)];
}

std::size_t GroupView::count(PartitionState state) const {
  return static_cast<std::size_t>(std::ranges::count(partitions, state, &PartitionView::state));
}

}  // namespace sessionlogd
