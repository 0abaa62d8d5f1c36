// Which entries of a response are emitted, and in which order: by log time, unreadable times last, ties in order of the
// response. Of a session that was done and is opened again, those that were delivered before come first, as they did
// then, and some are held back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/time_zone.h"
#include "core/entries/entry.h"
#include "core/state/session_history.h"

namespace sessionlogd {

class EmissionOrder {
 public:
  // Of another response, of which all that is new is emitted: unless one of these says otherwise of so many entries.
  void begin() { ranks_.clear(); }
  void hold_back_all(std::size_t entries) { ranks_.assign(entries, kHeldBack); }
  void rank_each(std::size_t entries) { ranks_.assign(entries, kNews); }
  // After rank_each(), of the entry at `index`.
  void was_delivered(std::size_t index, std::uint32_t rank) { ranks_[index] = rank; }
  void hold_back_if_new(std::size_t index) {
    if (ranks_[index] == kNews) ranks_[index] = kHeldBack;
  }

  // The whole log. Until the next call.
  std::span<const std::uint32_t> by_time(const ZoneRules& zone, std::span<const Entry> log);

  // What was found in it and is not held back; adopted ones are left out. Until the next call.
  std::span<const Emission> sort(const ZoneRules& zone, std::span<const Entry> log, std::span<const Emission> found);
  // Of one of these: it is not new, or was not delivered before.
  bool is_news(const Emission& emission) const { return rank_of(emission) == kNews; }

  // Gives its memory back.
  void shrink() { *this = EmissionOrder(); }

 private:
  // Small, since the whole response is sorted by it.
  struct Place {
    std::int64_t seconds;
    std::uint64_t nanos_and_number;  // its number among what is sorted is the lower half
    std::uint32_t number() const { return static_cast<std::uint32_t>(nanos_and_number); }
    auto operator<=>(const Place&) const = default;
  };
  static Place in_time(const ZoneRules& zone, const Entry& entry, std::uint32_t number);
  Place place_of(const ZoneRules& zone, std::span<const Entry> log, const Emission& emission,
                 std::uint32_t number) const;
  void number_twins(std::span<const Entry> log, std::span<const Emission> found);

  // Per entry of the response, where not all that is new is to be emitted: its place among those that were delivered
  // before the session was opened again, or one of these.
  static constexpr std::uint32_t kNews = 0xFFFFFFFF, kHeldBack = 0xFFFFFFFE;
  std::uint32_t rank_of(const Emission& emission) const {
    return ranks_.empty() || emission.change != Change::kNew ? kNews : ranks_[emission.index];
  }

  std::vector<std::uint32_t> ranks_, by_time_;
  std::vector<Place> places_;
  std::vector<Emission> emissions_;
  std::vector<std::uint32_t> numbered_, to_number_;  // new twins by identity, before and after they are sorted
};

}  // namespace sessionlogd
