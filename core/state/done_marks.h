// What remains of the sessions of one source that are known and not read any more, by session_key. There may be
// millions: each takes 32 bytes and about 2 more of headers and room to grow.
//
//   key ──▶ its upper bits: a shelf ──▶ in order of the keys: DoneMark
//
// Keys are hashes, so the shelves are about as full as each other; when they hold too many, there are twice as many.
//
// A mark is made of what was shown and delivered, or left alone on purpose; never of a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/kept_instant.h"
#include "core/base/packed.h"
#include "core/base/time_shift.h"
#include "core/base/timestamp.h"
#include "core/base/watched_time.h"

namespace sessionlogd {

struct DoneMark {
  // Numbers are durable.
  enum class Kind : std::uint8_t {
    kDelivered = 1,  // read to its end
    kLeftAlone = 2,  // never read: final and begun before the line of first contact, or its type is not wanted
    kBefore = 3,     // shown without a mark after an upgrade, and so old that the version before had been done with it
    kOld = 4,        // delivered by a version that kept neither sum nor fingerprints
  };

  Kind kind = Kind::kDelivered;
  std::uint64_t digest = 0;  // of the listing's row
  // Watched time of the first complete sweep in a row that did not show its id.
  std::optional<std::chrono::seconds> absent_since{};
  TimeShift shift{};  // SessionState's

  // Of kDelivered.
  std::uint32_t sum = 0;    // SessionHistory::sum(): of all that was delivered
  std::uint16_t place = 0;  // KeptFingerprints: where its entries are, 0 = they had to go
  // Of kDelivered and kBefore: when it was made, our clock, to the second.
  Instant made = kNever;

  // Of kLeftAlone and kBefore.
  Instant start = kNever;       // kNever: the listing names none
  std::uint32_t stop_hash = 0;  // of kLeftAlone: of the stop time that the listing names; 0 = not known

  // Of kOld: the latest log time delivered, at least the session's start.
  Instant latest = kNever;

  friend bool operator==(const DoneMark&, const DoneMark&) = default;
};

class DoneMarks {
 public:
  std::optional<DoneMark> find(std::uint64_t session_key) const;
  bool contains(std::uint64_t session_key) const { return find(session_key).has_value(); }
  std::size_t size() const { return size_; }

  // Instead of the one that is there, if there is one. It counts as shown by the sweep that goes on.
  void put(std::uint64_t session_key, const DoneMark& mark);
  void erase(std::uint64_t session_key);

  // A listing shows the session. Returns whether the mark has to be made durable anew: it was absent before.
  bool shown(std::uint64_t session_key);
  // From now on it counts which marks are shown.
  void begin_sweep();
  // Whether it was shown, or put, since begin_sweep(). Of one that is there.
  bool was_shown(std::uint64_t session_key) const;

  // Calls on_mark(session_key, mark, was_shown) for each.
  template <class OnMark>
  void for_each(OnMark on_mark) const {
    for (const Shelf& shelf : shelves_) {
      for (const Kept& kept : shelf) on_mark(std::uint64_t{kept.key}, mark_of(kept), kept.is_shown());
    }
  }

  // Those for which should_go(session_key, mark) is true.
  template <class ShouldGo>
  void erase_if(ShouldGo should_go) {
    for (Shelf& shelf : shelves_) {
      size_ -=
          std::erase_if(shelf, [&](const Kept& kept) { return should_go(std::uint64_t{kept.key}, mark_of(kept)); });
      if (shelf.size() < shelf.capacity() / 2) shelf.shrink_to_fit();
    }
  }

 private:
  struct Kept {
    Packed<std::uint64_t> key, digest;
    Packed<std::uint32_t> absent_since;  // seconds and one; 0 = it is shown
    std::uint8_t kind;                   // and kShown
    Packed<std::uint32_t> first, second;
    Packed<std::uint16_t> third;
    TimeShift shift;

    static constexpr std::uint8_t kShown = 0x80;
    bool is_shown() const { return (kind & kShown) != 0; }
  };
  static_assert(sizeof(Kept) == 32);
  using Shelf = std::vector<Kept>;

  static Kept kept_of(std::uint64_t session_key, const DoneMark& mark);
  static DoneMark mark_of(const Kept& kept);
  Kept* at(std::uint64_t session_key);
  const Kept* at(std::uint64_t session_key) const;
  std::size_t shelf_of(std::uint64_t key) const { return shelf_bits_ == 0 ? 0 : key >> (64 - shelf_bits_); }
  void double_shelves();

  std::vector<Shelf> shelves_ = std::vector<Shelf>(1);  // 2 ^ shelf_bits_ of them
  unsigned shelf_bits_ = 0;
  std::size_t size_ = 0;
};

}  // namespace sessionlogd
