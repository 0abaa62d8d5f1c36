// What remains of the sessions of one source that were read to their end, by session_key. There may be millions: each
// takes 25 bytes and about 2 more of headers and room to grow.
//
//   key ──▶ its upper bits: a shelf ──▶ in order of the keys: DoneMark
//
// Keys are hashes, so the shelves are about as full as each other; when they hold too many, there are twice as many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/kept_instant.h"
#include "core/packed.h"
#include "core/timestamp.h"

namespace sessionlogd {

struct DoneMark {
  std::uint64_t digest = 0;  // of the listing's row
  Instant latest = kNever;   // the latest log time delivered, at least the session's start
};

class DoneMarks {
 public:
  std::optional<DoneMark> find(std::uint64_t session_key) const;
  bool contains(std::uint64_t session_key) const { return find(session_key).has_value(); }
  std::size_t size() const { return size_; }

  // Instead of the one that is there, if there is one.
  void put(std::uint64_t session_key, const DoneMark& mark);
  void erase(std::uint64_t session_key);

  // Calls on_mark(session_key, mark) for each.
  template <class OnMark>
  void for_each(OnMark on_mark) const {
    for (const Shelf& shelf : shelves_) {
      for (const Kept& kept : shelf) on_mark(std::uint64_t{kept.key}, mark_of(kept));
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
    KeptInstant latest;
  };
  static_assert(sizeof(Kept) == 25);
  using Shelf = std::vector<Kept>;

  static DoneMark mark_of(const Kept& kept) { return {kept.digest, kept.latest}; }
  std::size_t shelf_of(std::uint64_t key) const { return shelf_bits_ == 0 ? 0 : key >> (64 - shelf_bits_); }
  void double_shelves();

  std::vector<Shelf> shelves_ = std::vector<Shelf>(1);  // 2 ^ shelf_bits_ of them
  unsigned shelf_bits_ = 0;
  std::size_t size_ = 0;
};

}  // namespace sessionlogd
