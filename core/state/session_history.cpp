#include "core/state/session_history.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "core/state/identity.h"

namespace sessionlogd {
namespace {

constexpr std::size_t kBytesPerKey = sizeof(std::uint64_t) + sizeof(std::uint32_t) + sizeof(std::uint8_t);
// A full block is replaced by one that is larger by an eighth, and by so many entries at least.
constexpr std::uint32_t kLeastGrowth = 4, kGrowthShare = 8;

// In place of a group: paired as what was known before. No group has so high a number.
constexpr std::uint32_t kFormerOwner = 0xFFFFFFFF, kPairedOwner = 0xFFFFFFFE;

// Most responses repeat what is known in the order in which it came. Twins never match here, since only the first of
// them has its identity as its key: they take the long way.
bool repeats_what_is_known(const SessionHistory& history, std::span<const EntryDigest> response) {
  if (response.size() > history.size()) return false;
  for (std::size_t i = 0; i < response.size(); ++i) {
    if (history.key(i) != response[i].base || history.hash(i) != response[i].hash) return false;
  }
  return true;
}

}  // namespace

SessionHistory::SessionHistory(const SessionHistory& other) {
  if (other.size_ == 0) return;
  size_ = other.size_;
  capacity_ = other.capacity_;
  block_ = std::make_unique_for_overwrite<std::byte[]>(capacity_ * kBytesPerKey);
  std::memcpy(block_.get(), other.block_.get(), capacity_ * kBytesPerKey);
}

void SessionHistory::reserve(std::size_t more) {
  if (size_ + more > capacity_) move_to_block_of(static_cast<std::uint32_t>(size_ + more));
}

void SessionHistory::append(std::uint64_t key, std::uint32_t hash, std::uint8_t marks) {
  if (size_ == capacity_) move_to_block_of(capacity_ + std::max(kLeastGrowth, capacity_ / kGrowthShare));
  keys()[size_] = key;
  hashes()[size_] = hash;
  all_marks()[size_] = marks;
  ++size_;
}

void SessionHistory::move_to_block_of(std::uint32_t capacity) {
  SessionHistory larger;
  larger.block_ = std::make_unique_for_overwrite<std::byte[]>(capacity * kBytesPerKey);
  larger.capacity_ = capacity;
  larger.size_ = size_;
  std::copy_n(keys(), size_, larger.keys());
  std::copy_n(hashes(), size_, larger.hashes());
  std::copy_n(all_marks(), size_, larger.all_marks());
  swap(larger);
}

void SessionHistory::change(std::size_t i, std::uint32_t hash, bool final) {
  hashes()[i] = hash;
  std::uint8_t& marks = all_marks()[i];
  if (changes(i) < kMostChanges) ++marks;
  marks = static_cast<std::uint8_t>(final ? marks & ~kRunning : marks | kRunning);
}

std::uint32_t SessionHistory::advance(const Emission& emission) {
  if (emission.change == Change::kAdopted) {
    hashes()[emission.position] = emission.hash;
    return emission.position;
  }
  if (emission.change == Change::kChanged) {
    change(emission.position, emission.hash, emission.final);
    return emission.position;
  }
  append(emission.key, emission.hash, emission.final ? 0 : kRunning);
  return size_ - 1;
}

std::vector<Fingerprint> SessionHistory::fingerprints() const {
  std::vector<Fingerprint> all(size_);
  for (std::size_t i = 0; i < size_; ++i) all[i] = {static_cast<std::uint32_t>(key(i)), hash(i)};
  return all;
}

SessionHistory SessionHistory::of(std::span<const Fingerprint> fingerprints) {
  SessionHistory history;
  history.reserve(fingerprints.size());
  for (const Fingerprint& entry : fingerprints) history.append(entry.key_half, entry.hash, kHalf);
  return history;
}

std::uint32_t SessionHistory::sum() const {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < size_; ++i) sum += sum_share(key(i), hash(i));
  return sum;
}

bool SessionHistory::knows(std::uint64_t wanted) const {
  for (std::size_t i = 0; i < size_; ++i) {
    if (key(i) == wanted || (is_half(i) && key(i) == static_cast<std::uint32_t>(wanted))) return true;
  }
  return false;
}

std::size_t SessionHistory::memory_bytes() const { return capacity_ * kBytesPerKey; }

void HistoryComparer::Table::reset(std::size_t expected) {
  const std::size_t size = std::bit_ceil(std::max<std::size_t>(expected * 2, 16));
  if (slots_.size() < size) slots_.resize(size);
  mask_ = size - 1;
  std::fill_n(slots_.begin(), size, Slot{0, kNone});
}

std::uint32_t HistoryComparer::Table::find(std::uint64_t key) const {
  for (std::size_t at = key & mask_;; at = (at + 1) & mask_) {
    if (slots_[at].value == kNone || slots_[at].key == key) return slots_[at].value;
  }
}

std::uint32_t HistoryComparer::Table::find_or_insert(std::uint64_t key, std::uint32_t value) {
  for (std::size_t at = key & mask_;; at = (at + 1) & mask_) {
    if (slots_[at].value == kNone) slots_[at] = {key, value};
    if (slots_[at].key == key) return slots_[at].value;
  }
}

const std::vector<Emission>& HistoryComparer::compare(const SessionHistory& history,
                                                      std::span<const EntryDigest> response, std::uint64_t session_key,
                                                      CompareRules rules, FormerReadings* former) {
  emissions_.clear();
  recognised_ = response.size();
  held_back_ = 0;
  if (repeats_what_is_known(history, response)) return emissions_;
  recognised_ = 0;

  const Inquiry in{history, response, session_key, rules, history.size() > 0 ? former : nullptr};
  index_known(history);
  owner_.assign(history.size(), 0);
  group_by_identity(response);
  unknown_.clear();
  for (const std::uint32_t first : first_) compare_group(in, first);
  if (!unknown_.empty()) compare_unknown(in);

  // Twins are taken together; what comes of them goes back into the order of the response.
  std::sort(emissions_.begin(), emissions_.end(),
            [](const Emission& a, const Emission& b) { return a.index < b.index; });
  return emissions_;
}

void HistoryComparer::index_known(const SessionHistory& history) {
  known_.reset(history.size());
  next_half_.clear();
  for (std::uint32_t i = 0; i < history.size(); ++i) {
    if (!history.is_half(i)) {
      known_.find_or_insert(history.key(i), i);
      continue;
    }
    if (next_half_.empty()) {
      next_half_.resize(history.size(), Table::kNone);
      halves_.reset(history.size());
    }
    std::uint32_t last = halves_.find_or_insert(history.key(i), i);
    while (last != i && next_half_[last] != Table::kNone) last = next_half_[last];
    if (last != i) next_half_[last] = i;
  }
}

bool HistoryComparer::is_known(std::uint64_t key) const {
  if (known_.find(key) != Table::kNone) return true;
  return !next_half_.empty() && halves_.find(static_cast<std::uint32_t>(key)) != Table::kNone;
}

// Where the history holds the key: of those that share its lower half the first that no other group has.
std::uint32_t HistoryComparer::position_for(std::uint64_t key, std::uint32_t owner) const {
  const std::uint32_t whole = known_.find(key);
  if (whole != Table::kNone || next_half_.empty()) return whole;
  std::uint32_t half = halves_.find(static_cast<std::uint32_t>(key));
  while (half != Table::kNone && !is_free_for(owner, half)) half = next_half_[half];
  return half;
}

void HistoryComparer::group_by_identity(std::span<const EntryDigest> response) {
  groups_.reset(response.size());
  first_.clear();
  last_.clear();
  next_.assign(response.size(), Table::kNone);
  for (std::uint32_t i = 0; i < response.size(); ++i) {
    const auto fresh = static_cast<std::uint32_t>(first_.size());
    const std::uint32_t group = groups_.find_or_insert(response[i].base, fresh);
    if (group == fresh) {
      first_.push_back(i);
      last_.push_back(i);
    } else {
      next_[last_[group]] = i;
      last_[group] = i;
    }
  }
}

void HistoryComparer::compare_group(const Inquiry& in, std::uint32_t first) {
  const std::uint64_t base = in.response[first].base;
  collect_served(first);
  collect_kept(in, base, first + 1);
  recognised_ += std::min(served_.size(), kept_.size());
  // They may be known as what they were: of which known ones the response lacks is told by the other groups.
  if (in.former != nullptr && served_.size() > kept_.size()) return unknown_.push_back(first);
  pair(in);
  emit_new(in, base);
}

void HistoryComparer::compare_unknown(const Inquiry& in) {
  paired_.assign(in.response.size(), false);
  if (recognised_ < in.history.size()) {
    former_.clear();
    for (const std::uint32_t first : unknown_) {
      for (std::uint32_t i = first; i != Table::kNone; i = next_[i]) former_.push_back({in.former->former(i), i});
    }
    // What is equal pairs first, under whichever key it is known: a twin that came since the upgrade has its new one.
    pair_former(in, &FormerDigest::base, Pairing::kEqual);
    pair_former(in, &FormerDigest::earlier, Pairing::kEqual);
    pair_own_equal(in);
    pair_former(in, &FormerDigest::base, Pairing::kAll);
    pair_former(in, &FormerDigest::earlier, Pairing::kAll);
  }
  for (const std::uint32_t first : unknown_) {
    const std::uint64_t base = in.response[first].base;
    collect_served(first);
    std::erase_if(served_, [&](std::uint32_t i) { return paired_[i]; });
    collect_kept(in, base, first + 1);
    pair(in);
    emit_new(in, base);
  }
}

// Pairs entries of unknown groups with known ones that the response lacks and whose keys are those of `base`.
void HistoryComparer::pair_former(const Inquiry& in, std::uint64_t FormerDigest::*base, Pairing pairing) {
  std::ranges::sort(former_, {}, [&](const Former& entry) { return std::pair(entry.digest.*base, entry.index); });
  for (std::size_t begin = 0, end = 0; begin < former_.size(); begin = end) {
    served_.clear();
    for (end = begin; end < former_.size() && former_[end].digest.*base == former_[begin].digest.*base; ++end) {
      if (!paired_[former_[end].index]) served_.push_back(former_[end].index);
    }
    if (served_.empty()) continue;
    collect_kept(in, former_[begin].digest.*base, kFormerOwner);
    if (kept_.empty()) continue;
    if (pairing == Pairing::kEqual) {
      recognised_ += pair_equal_for_good(in, 0);
      continue;
    }
    recognised_ += std::min(served_.size(), kept_.size());
    for (const std::uint32_t i : served_) paired_[i] = true;
    pair(in);
    for (const std::uint32_t i : served_) paired_[i] = false;
  }
}

// Of unknown groups what is known under the keys that it has now.
void HistoryComparer::pair_own_equal(const Inquiry& in) {
  for (const std::uint32_t first : unknown_) {
    collect_served(first);
    std::erase_if(served_, [&](std::uint32_t i) { return paired_[i]; });
    collect_kept(in, in.response[first].base, first + 1);
    pair_equal_for_good(in, first + 1);
  }
}

// Nobody else gets what pairs here. Returns how many did.
std::size_t HistoryComparer::pair_equal_for_good(const Inquiry& in, std::uint32_t owner_of_rest) {
  std::size_t pairs = 0;
  pair_equal(in, [&](std::uint32_t i, const Known& known) {
    paired_[i] = true;
    owner_[known.position] = kPairedOwner;
    ++pairs;
  });
  for (const Known& known : kept_) owner_[known.position] = owner_of_rest;
  return pairs;
}

void HistoryComparer::collect_served(std::uint32_t first) {
  served_.clear();
  for (std::uint32_t i = first; i != Table::kNone; i = next_[i]) served_.push_back(i);
}

// Those of the identity that no other group has.
void HistoryComparer::collect_kept(const Inquiry& in, std::uint64_t base, std::uint32_t owner) {
  kept_.clear();
  // A power cut may leave holes: of two twins only the second may have reached the disk.
  for (std::uint32_t ordinal = 0;; ++ordinal) {
    const std::uint64_t key = twin_key(base, ordinal, in.session_key);
    const std::uint32_t position = position_for(key, owner);
    if (position == Table::kNone && ordinal >= served_.size()) break;
    if (position == Table::kNone || !is_free_for(owner, position)) continue;
    owner_[position] = owner;
    kept_.push_back({ordinal, position, key});
  }
}

// Takes out of served_ what pairs with kept_, and says what of it has changed.
void HistoryComparer::pair(const Inquiry& in) {
  if (kept_.empty()) return;
  const bool has_twins = kept_.size() > 1;
  pair_equal(in, [](std::uint32_t, const Known&) {});
  // Where some that are known are not there, the next response tells which of them the others have become: taken for
  // one that stands behind the fault, an entry would make that one new again. A broken response is never the last.
  if (has_twins && !kept_.empty() && !in.rules.whole) return served_.clear();
  // What was emitted once in final state is served in final state again, so final ones pair first.
  if (in.rules.only_final) {
    std::stable_partition(served_.begin(), served_.end(), [&](std::uint32_t i) { return in.response[i].final; });
  }
  const std::size_t paired = std::min(served_.size(), kept_.size());
  for (std::size_t i = 0; i < paired; ++i) emit_changed(in, served_[i], kept_[i]);
  served_.erase(served_.begin(), served_.begin() + static_cast<std::ptrdiff_t>(paired));
  for (std::size_t i = paired; i < kept_.size(); ++i) owner_[kept_[i].position] = 0;
}

// Takes out of served_ and kept_ what is equal, now or by the reading of before, which is adopted.
template <class OnPair>
void HistoryComparer::pair_equal(const Inquiry& in, OnPair on_pair) {
  pair_by_hash(
      in.history, [&](std::uint32_t i) { return in.response[i].hash; }, on_pair);
  if (in.former == nullptr) return;
  pair_by_hash(
      in.history, [&](std::uint32_t i) { return in.former->former(i).hash; },
      [&](std::uint32_t i, const Known& known) {
        emissions_.push_back({i, in.response[i].hash, known.key, Change::kAdopted, false, known.position});
        on_pair(i, known);
      });
}

// Takes out of served_ and kept_ what pairs by equal hash, in any order. The rest keeps its order.
template <class HashOf, class OnPair>
void HistoryComparer::pair_by_hash(const SessionHistory& history, HashOf hash_of, OnPair on_pair) {
  if (served_.empty() || kept_.empty()) return;
  const auto kept_hash = [&](const Known& known) { return history.hash(known.position); };
  if (served_.size() == 1 && kept_.size() == 1) {
    if (hash_of(served_[0]) == kept_hash(kept_[0])) {
      on_pair(served_[0], kept_[0]);
      served_.clear();
      kept_.clear();
    }
    return;
  }
  served_by_hash_.clear();
  for (const std::uint32_t i : served_) served_by_hash_.push_back({hash_of(i), i});
  kept_by_hash_ = kept_;
  std::ranges::sort(served_by_hash_);  // ties in order of the response
  std::ranges::stable_sort(kept_by_hash_, {}, kept_hash);
  served_.clear();
  kept_.clear();
  auto served = served_by_hash_.begin();
  auto kept = kept_by_hash_.begin();
  while (served != served_by_hash_.end() && kept != kept_by_hash_.end()) {
    if (served->first == kept_hash(*kept)) {
      on_pair(served->second, *kept);
      ++served, ++kept;
    } else if (served->first < kept_hash(*kept)) {
      served_.push_back((served++)->second);
    } else {
      kept_.push_back(*kept++);
    }
  }
  for (; served != served_by_hash_.end(); ++served) served_.push_back(served->second);
  kept_.insert(kept_.end(), kept, kept_by_hash_.end());
  std::ranges::sort(served_);
  std::ranges::sort(kept_, {}, &Known::ordinal);
}

void HistoryComparer::emit_changed(const Inquiry& in, std::uint32_t index, const Known& known) {
  const EntryDigest& entry = in.response[index];
  const bool has_ended = entry.final && in.history.is_running(known.position);
  const bool is_let_through = in.rules.last_read || in.history.changes(known.position) < SessionHistory::kMostChanges;
  if (!has_ended && (in.rules.only_final || !is_let_through)) return;
  emissions_.push_back({index, entry.hash, known.key, Change::kChanged, false, known.position, entry.final});
}

// What is left of served_ gets the next ordinals of its identity.
void HistoryComparer::emit_new(const Inquiry& in, std::uint64_t base) {
  std::uint32_t ordinal = 0;
  const bool has_twin = served_.size() > 1;
  for (const std::uint32_t i : served_) {
    const EntryDigest& entry = in.response[i];
    if (in.rules.only_final && !in.rules.last_read && !entry.final) {
      ++held_back_;
      continue;
    }
    while (is_known(twin_key(base, ordinal, in.session_key))) ++ordinal;
    emissions_.push_back(
        {i, entry.hash, twin_key(base, ordinal++, in.session_key), Change::kNew, has_twin, Table::kNone, entry.final});
  }
}

}  // namespace sessionlogd
