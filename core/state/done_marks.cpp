#include "core/state/done_marks.h"

#include <algorithm>
#include <utility>

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

// Seconds in 40 bits, as KeptInstant has them, and what is said of kinds that have no time there: bits 0 to 31 stand in
// one field, 32 to 39 in the lower byte of `third`.
constexpr std::int64_t kNoSeconds = -(std::int64_t{1} << 39);

std::int64_t seconds_of(Instant at) { return std::clamp(at.seconds, kNoSeconds, -(kNoSeconds + 1)); }

Instant instant_of(std::uint32_t low, std::uint16_t high) {
  const std::int64_t seconds = std::int64_t{static_cast<std::int8_t>(high & 0xFF)} << 32 | low;
  return seconds == kNoSeconds ? kNever : Instant{seconds, 0};
}

std::uint16_t high_of(std::int64_t seconds) { return static_cast<std::uint16_t>(seconds >> 32 & 0xFF); }

// Until 2106; a clock that is wrong by more is as good as none.
std::uint32_t short_seconds(Instant at) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(at.seconds, 0, UINT32_MAX));
}

}  // namespace

//                first            second        third
//   kDelivered   made             sum           place
//   kLeftAlone   start, bits 0-31 stop_hash     start, bits 32-39
//   kBefore      start, bits 0-31 made          start, bits 32-39
//   kOld         latest, likewise its nanos     latest, bits 32-39
DoneMarks::Kept DoneMarks::kept_of(std::uint64_t session_key, const DoneMark& mark) {
  Kept kept{session_key, mark.digest, 0, static_cast<std::uint8_t>(mark.kind), 0, 0, 0, mark.shift};
  if (mark.absent_since) kept.absent_since = static_cast<std::uint32_t>(mark.absent_since->count() + 1);
  if (mark.kind == DoneMark::Kind::kDelivered) {
    kept.first = short_seconds(mark.made);
    kept.second = mark.sum;
    kept.third = mark.place;
    return kept;
  }
  const bool is_old = mark.kind == DoneMark::Kind::kOld;
  const std::int64_t seconds = seconds_of(is_old ? mark.latest : mark.start);
  kept.first = static_cast<std::uint32_t>(seconds);
  kept.third = high_of(seconds);
  kept.second = is_old                                 ? mark.latest.nanos
                : mark.kind == DoneMark::Kind::kBefore ? short_seconds(mark.made)
                                                       : mark.stop_hash;
  return kept;
}

DoneMark DoneMarks::mark_of(const Kept& kept) {
  DoneMark mark;
  mark.kind = static_cast<DoneMark::Kind>(kept.kind & ~Kept::kShown);
  mark.digest = kept.digest;
  mark.shift = kept.shift;
  if (kept.absent_since != 0) mark.absent_since = std::chrono::seconds{kept.absent_since - 1};
  switch (mark.kind) {
    case DoneMark::Kind::kDelivered:
      mark.made = Instant{kept.first, 0};
      mark.sum = kept.second;
      mark.place = kept.third;
      break;
    case DoneMark::Kind::kLeftAlone:
      mark.start = instant_of(kept.first, kept.third);
      mark.stop_hash = kept.second;
      break;
    case DoneMark::Kind::kBefore:
      mark.start = instant_of(kept.first, kept.third);
      mark.made = Instant{kept.second, 0};
      break;
    case DoneMark::Kind::kOld:
      mark.latest = instant_of(kept.first, kept.third);
      if (mark.latest != kNever) mark.latest.nanos = kept.second;
      break;
  }
  return mark;
}

const DoneMarks::Kept* DoneMarks::at(std::uint64_t session_key) const {
  const Shelf& shelf = shelves_[shelf_of(session_key)];
  const auto place = place_of(shelf, session_key);
  return place == shelf.end() || place->key != session_key ? nullptr : &*place;
}

DoneMarks::Kept* DoneMarks::at(std::uint64_t session_key) {
  return const_cast<Kept*>(std::as_const(*this).at(session_key));
}

std::optional<DoneMark> DoneMarks::find(std::uint64_t session_key) const {
  const Kept* kept = at(session_key);
  return kept == nullptr ? std::nullopt : std::optional(mark_of(*kept));
}

void DoneMarks::put(std::uint64_t session_key, const DoneMark& mark) {
  Shelf& shelf = shelves_[shelf_of(session_key)];
  Kept kept = kept_of(session_key, mark);
  kept.kind |= Kept::kShown;
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

bool DoneMarks::shown(std::uint64_t session_key) {
  Kept* kept = at(session_key);
  if (kept == nullptr) return false;
  kept->kind |= Kept::kShown;
  return std::exchange(kept->absent_since, 0) != 0;
}

void DoneMarks::begin_sweep() {
  for (Shelf& shelf : shelves_) {
    for (Kept& kept : shelf) kept.kind &= static_cast<std::uint8_t>(~Kept::kShown);
  }
}

bool DoneMarks::was_shown(std::uint64_t session_key) const {
  const Kept* kept = at(session_key);
  return kept != nullptr && kept->is_shown();
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
