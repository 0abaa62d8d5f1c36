// What has been emitted of one session, and the comparison that finds what is new or changed in a response: the dedup.
//
// Holds 13 bytes per entry (key 8, hash 4, marks 1) in order of arrival, in one block that has little room to spare:
// there may be a million sessions. Knows nothing of JSON or sinks, and of times only whether an entry has one that can
// be read.
//
//   response: A  B  B' C     B and B' are twins: equal identity, told apart by an ordinal
//   history:  A0 B0 B1       each with the hash last emitted
//   result:            C new
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace sessionlogd {

enum class Change : std::uint8_t {
  kNew,
  kChanged,
  kAdopted,  // it says what it said, but is read in another way than it was: remembered and not emitted
};

// What of an entry takes part in the comparison.
struct EntryDigest {
  std::uint64_t base;  // identity.h: entry_base
  std::uint32_t hash;  // identity.h: event_hash
  bool final;          // its status is
};

// What an entry comes to when it is read in other ways: it may have been delivered as that.
struct FormerDigest {
  std::uint64_t base;  // as the version before read it
  std::uint64_t
      earlier;         // now, with the times of its identity a microsecond earlier: its source rounds what it truncated
  std::uint32_t hash;  // as the version before read it
};

// Asked of entries that are not known as they are.
class FormerReadings {
 public:
  virtual FormerDigest former(std::uint32_t index) = 0;  // index: into the response

 protected:
  virtual ~FormerReadings() = default;
};

// An entry of the response that is to be emitted, or adopted.
struct Emission {
  std::uint32_t index;  // into the response
  std::uint32_t hash;
  std::uint64_t key;
  Change change;
  bool has_twin;           // of a new one: others in the response that are new have its identity
  std::uint32_t position;  // of one that is not new: where the history holds it
  bool final = true;       // its status is
};

// How a session's entries are to be compared.
struct CompareRules {
  bool only_final = false;  // `changes = "final"`: every entry once, when its status is final or at the session's last
                            // read. What was emitted before its status was final comes again then
  bool last_read = false;   // the session is read for the last time
  bool whole = true;        // the response was read to its end: what it does not show is gone
};

// What is kept of an entry beyond its session's end: 8 bytes.
struct Fingerprint {
  std::uint32_t key_half;  // the lower half of its key
  std::uint32_t hash;

  bool operator==(const Fingerprint&) const = default;
};

class SessionHistory {
 public:
  // After so many changes of one entry only its end counts, and the session's last read.
  static constexpr std::uint8_t kMostChanges = 16;
  static constexpr std::uint8_t kHalf = 0x40;     // of an entry made of its fingerprint: the upper half of its key is 0
  static constexpr std::uint8_t kRunning = 0x20;  // its status was not final when it was emitted last; no fingerprint
                                                  // tells

  SessionHistory() = default;
  SessionHistory(const SessionHistory& other);
  SessionHistory(SessionHistory&& other) noexcept { swap(other); }
  SessionHistory& operator=(SessionHistory other) noexcept {
    swap(other);
    return *this;
  }

  std::size_t size() const { return size_; }
  std::uint64_t key(std::size_t i) const { return keys()[i]; }
  std::uint32_t hash(std::size_t i) const { return hashes()[i]; }
  std::uint8_t changes(std::size_t i) const { return static_cast<std::uint8_t>(marks(i) & ~(kHalf | kRunning)); }
  bool is_half(std::size_t i) const { return (marks(i) & kHalf) != 0; }
  bool is_running(std::size_t i) const { return (marks(i) & kRunning) != 0; }

  // Entries in the order in which they stand here; made of those they are known by the lower halves of their keys.
  std::vector<Fingerprint> fingerprints() const;
  static SessionHistory of(std::span<const Fingerprint> fingerprints);

  // identity.h: the same whether entries are whole or fingerprints, and in whatever order.
  std::uint32_t sum() const;

  // Looks through all of it.
  bool knows(std::uint64_t key) const;

  // The emission is on its way to the sink: from now on it is known. Returns its position.
  std::uint32_t advance(const Emission& emission);

  // Room for so many more, no more than that: what is known beforehand is not to be moved again and again.
  void reserve(std::size_t more);

  // `marks` is the number of changes, kHalf and kRunning.
  void append(std::uint64_t key, std::uint32_t hash, std::uint8_t marks);
  std::uint8_t marks(std::size_t i) const { return all_marks()[i]; }
  void change(std::size_t i, std::uint32_t hash, bool final);

  std::size_t memory_bytes() const;

 private:
  void move_to_block_of(std::uint32_t capacity);
  void swap(SessionHistory& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  // The block: the keys, then the hashes, then the marks, each with room for capacity_.
  std::uint64_t* keys() const { return reinterpret_cast<std::uint64_t*>(block_.get()); }
  std::uint32_t* hashes() const { return reinterpret_cast<std::uint32_t*>(keys() + capacity_); }
  std::uint8_t* all_marks() const { return reinterpret_cast<std::uint8_t*>(hashes() + capacity_); }

  std::unique_ptr<std::byte[]> block_;
  std::uint32_t size_ = 0, capacity_ = 0;
};

// Compares responses with histories; one per shard, so that its tables are used again. Not thread-safe.
class HistoryComparer {
 public:
  // What is to be emitted, in order of the response. The history is not advanced: that happens emission by emission, in
  // the order in which they are emitted. Linear in the size of response and history, but for twins, which are sorted.
  // Valid until the next call.
  //
  // With `former`, what is not known as it is may be known as what it was, among entries that the response lacks: it
  // then keeps the key that it has.
  const std::vector<Emission>& compare(const SessionHistory& history, std::span<const EntryDigest> response,
                                       std::uint64_t session_key, CompareRules rules, FormerReadings* former = nullptr);

  // Of the response compared last: how many entries were known, unchanged or not.
  std::size_t recognised() const { return recognised_; }
  // Likewise: how many are not known, and are not due yet under CompareRules::only_final.
  std::size_t held_back() const { return held_back_; }

 private:
  // Open addressing, from a 64-bit key to a 32-bit value; emptied in time proportional to its use.
  class Table {
   public:
    static constexpr std::uint32_t kNone = 0xFFFFFFFF;
    void reset(std::size_t expected);
    std::uint32_t find(std::uint64_t key) const;
    // The value already there, or `value` after inserting it.
    std::uint32_t find_or_insert(std::uint64_t key, std::uint32_t value);

   private:
    struct Slot {
      std::uint64_t key;
      std::uint32_t value;
    };
    std::vector<Slot> slots_;
    std::size_t mask_ = 0;
  };

  // What compare() was asked.
  struct Inquiry {
    const SessionHistory& history;
    std::span<const EntryDigest> response;
    std::uint64_t session_key;
    CompareRules rules;
    FormerReadings* former;
  };
  // A known entry of the group in hand.
  struct Known {
    std::uint32_t ordinal;
    std::uint32_t position;
    std::uint64_t key;
  };
  struct Former {
    FormerDigest digest;
    std::uint32_t index;  // into the response
  };

  void group_by_identity(std::span<const EntryDigest> response);
  void compare_group(const Inquiry& in, std::uint32_t first);
  void compare_unknown(const Inquiry& in);
  enum class Pairing { kEqual, kAll };
  void pair_former(const Inquiry& in, std::uint64_t FormerDigest::*base, Pairing pairing);
  void pair_own_equal(const Inquiry& in);
  std::size_t pair_equal_for_good(const Inquiry& in, std::uint32_t owner_of_rest);
  void collect_served(std::uint32_t first);
  void index_known(const SessionHistory& history);
  bool is_known(std::uint64_t key) const;
  std::uint32_t position_for(std::uint64_t key, std::uint32_t owner) const;
  bool is_free_for(std::uint32_t owner, std::uint32_t position) const {
    return owner_[position] == 0 || owner_[position] == owner;
  }
  void collect_kept(const Inquiry& in, std::uint64_t base, std::uint32_t owner);
  void pair(const Inquiry& in);
  template <class OnPair>
  void pair_equal(const Inquiry& in, OnPair on_pair);
  template <class HashOf, class OnPair>
  void pair_by_hash(const SessionHistory& history, HashOf hash_of, OnPair on_pair);
  void emit_changed(const Inquiry& in, std::uint32_t index, const Known& known);
  void emit_new(const Inquiry& in, std::uint64_t base);

  std::vector<Emission> emissions_;
  std::size_t recognised_ = 0, held_back_ = 0;
  Table known_;                           // key -> position in the history
  Table halves_;                          // lower half of a key -> position of the first entry with it that is half
  std::vector<std::uint32_t> next_half_;  // by position: the next with that half; empty where no entry is half
  std::vector<std::uint32_t> owner_;      // by position: the group that the known entry is paired in, 0 = none
  Table groups_;                          // identity -> index into first_, last_
  std::vector<std::uint32_t> first_;      // per group: its first entry in the response
  std::vector<std::uint32_t> last_;       // per group: its last so far
  std::vector<std::uint32_t> next_;       // per entry: the next of its group, Table::kNone = none
  // Groups some of which are unknown, by their first entries, and what those entries were.
  std::vector<std::uint32_t> unknown_;
  std::vector<Former> former_;
  std::vector<bool> paired_;  // per entry
  // Of the group in hand, what is not paired yet: entries in order of the response, known ones in order of their
  // ordinals.
  std::vector<std::uint32_t> served_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> served_by_hash_;  // hash, entry
  std::vector<Known> kept_, kept_by_hash_;
};

}  // namespace sessionlogd
