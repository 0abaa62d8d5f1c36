#include "core/done_marks.h"

#include <algorithm>

namespace sessionlogd {
namespace {

// On average. To put one more there moves half of them: a few cache lines.
constexpr std::size_t kMostOnShelf = 128;
// A full shelf grows by an eighth, and by so many marks at least.
constexpr std::size_t kLeastGrowth = 4, kGrowthShare = 8;

template <class Shelf>
auto place_of(Shelf& shelf, std::uint64_t key) {
  return std::lower_bound(shelf.begin(), shelf.end(), key,
                          [](const auto& kept, std::uint64_t wanted) { return kept.key < wanted; });
}

}  // namespace

std::optional<DoneMark> DoneMarks::find(std::uint64_t session_key) const {
  const Shelf& shelf = shelves_[shelf_of(session_key)];
  const auto at = place_of(shelf, session_key);
  if (at == shelf.end() || at->key != session_key) return std::nullopt;
  return mark_of(*at);
}

void DoneMarks::put(std::uint64_t session_key, const DoneMark& mark) {
  Shelf& shelf = shelves_[shelf_of(session_key)];
  const Kept kept{session_key, mark.digest, mark.latest};
  auto at = place_of(shelf, session_key);
  if (at != shelf.end() && at->key == session_key) {
    *at = kept;
    return;
  }
  if (shelf.size() == shelf.capacity()) {
    const auto index = at - shelf.begin();
    shelf.reserve(shelf.size() + std::max(kLeastGrowth, shelf.size() / kGrowthShare));
    at = shelf.begin() + index;
  }
  shelf.insert(at, kept);
  if (++size_ > shelves_.size() * kMostOnShelf) double_shelves();
}

void DoneMarks::erase(std::uint64_t session_key) {
  Shelf& shelf = shelves_[shelf_of(session_key)];
  const auto at = place_of(shelf, session_key);
  if (at == shelf.end() || at->key != session_key) return;
  shelf.erase(at);
  --size_;
}

void DoneMarks::double_shelves() {
  std::vector<Shelf> halves;
  halves.reserve(shelves_.size() * 2);
  for (std::size_t i = 0; i < shelves_.size(); ++i) {
    const std::uint64_t first_of_upper = (2 * i + 1) << (63 - shelf_bits_);
    const auto upper = place_of(shelves_[i], first_of_upper);
    halves.emplace_back(shelves_[i].begin(), upper);
    halves.emplace_back(upper, shelves_[i].end());
    Shelf().swap(shelves_[i]);
  }
  shelves_ = std::move(halves);
  ++shelf_bits_;
}

}  // namespace sessionlogd
