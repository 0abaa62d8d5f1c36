#include "core/session_history.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

#include "core/identity.h"

namespace sessionlogd {
namespace {

constexpr std::size_t kBytesPerKey = sizeof(std::uint64_t) + sizeof(std::uint32_t) + sizeof(std::uint8_t);
// A full block is replaced by one that is larger by an eighth, and by so many entries at least.
constexpr std::uint32_t kLeastGrowth = 4, kGrowthShare = 8;

// Most answers repeat what is known in the order in which it came. Twins never match here, since only the first of them
// has its identity as its key: they take the long way.
bool repeats_what_is_known(const SessionHistory& history, std::span<const EntryDigest> answer) {
  if (answer.size() > history.size()) return false;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    if (history.key(i) != answer[i].base || history.hash(i) != answer[i].hash) return false;
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

void SessionHistory::change(std::size_t i, std::uint32_t hash) {
  hashes()[i] = hash;
  if (changes(i) < kMostChanges) ++all_marks()[i];
}

std::uint32_t SessionHistory::advance(const Emission& emission) {
  if (emission.change == Change::kChanged) {
    change(emission.position, emission.hash);
    all_marks()[emission.position] &= static_cast<std::uint8_t>(~kKept);
    return emission.position;
  }
  append(emission.key, emission.hash, 0);
  return size_ - 1;
}

std::uint32_t SessionHistory::advance_to_keep(const Emission& emission) {
  const std::uint32_t position = advance(emission);
  all_marks()[position] |= kKept;
  return position;
}

void SessionHistory::forget_all_but_kept(std::uint64_t session_key) {
  SessionHistory kept;
  if (std::any_of(all_marks(), all_marks() + size_, [](std::uint8_t marks) { return (marks & kKept) != 0; })) {
    keep_twins_of_kept(session_key);
    for (std::size_t i = 0; i < size(); ++i) {
      if (is_kept(i)) kept.append(key(i), hash(i), marks(i));
    }
  }
  swap(kept);
}

void SessionHistory::keep_twins_of_kept(std::uint64_t session_key) {
  std::vector<std::uint32_t> by_key(size_);
  std::iota(by_key.begin(), by_key.end(), 0u);
  const auto key_of = [this](std::uint32_t position) { return key(position); };
  std::ranges::sort(by_key, {}, key_of);
  std::vector<std::uint32_t> twins;
  for (std::uint32_t first = 0; first < size_; ++first) {
    twins.assign(1, first);
    for (std::uint32_t ordinal = 1;; ++ordinal) {
      const std::uint64_t wanted = twin_key(key(first), ordinal, session_key);
      const auto found = std::ranges::lower_bound(by_key, wanted, {}, key_of);
      if (found == by_key.end() || key(*found) != wanted) break;
      twins.push_back(*found);
    }
    if (std::ranges::none_of(twins, [this](std::uint32_t twin) { return is_kept(twin); })) continue;
    for (const std::uint32_t twin : twins) all_marks()[twin] |= kKept;
  }
}

std::uint32_t SessionHistory::sum() const {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < size_; ++i) sum += static_cast<std::uint32_t>(key(i)) * 31 + hash(i);
  return sum;
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
                                                      std::span<const EntryDigest> answer, std::uint64_t session_key,
                                                      CompareRules rules) {
  emissions_.clear();
  recognised_ = answer.size();
  if (repeats_what_is_known(history, answer)) return emissions_;
  recognised_ = 0;

  known_.reset(history.size());
  for (std::size_t i = 0; i < history.size(); ++i) known_.find_or_insert(history.key(i), static_cast<std::uint32_t>(i));
  group_by_identity(answer);
  for (const std::uint32_t first : first_) compare_group(history, answer, first, session_key, rules);

  // Twins are taken together; what comes of them goes back into the order of the answer.
  std::sort(emissions_.begin(), emissions_.end(),
            [](const Emission& a, const Emission& b) { return a.index < b.index; });
  return emissions_;
}

void HistoryComparer::group_by_identity(std::span<const EntryDigest> answer) {
  groups_.reset(answer.size());
  first_.clear();
  last_.clear();
  next_.assign(answer.size(), Table::kNone);
  for (std::uint32_t i = 0; i < answer.size(); ++i) {
    const auto fresh = static_cast<std::uint32_t>(first_.size());
    const std::uint32_t group = groups_.find_or_insert(answer[i].base, fresh);
    if (group == fresh) {
      first_.push_back(i);
      last_.push_back(i);
    } else {
      next_[last_[group]] = i;
      last_[group] = i;
    }
  }
}

void HistoryComparer::compare_group(const SessionHistory& history, std::span<const EntryDigest> answer,
                                    std::uint32_t first, std::uint64_t session_key, CompareRules rules) {
  const std::uint64_t base = answer[first].base;
  served_.clear();
  for (std::uint32_t i = first; i != Table::kNone; i = next_[i]) served_.push_back(i);
  kept_.clear();
  // A power cut may leave holes: of two twins only the second may have reached the disk.
  for (std::uint32_t ordinal = 0;; ++ordinal) {
    const std::uint32_t position = known_.find(twin_key(base, ordinal, session_key));
    if (position != Table::kNone) kept_.push_back({ordinal, position});
    if (position == Table::kNone && ordinal >= served_.size()) break;
  }

  recognised_ += std::min(served_.size(), kept_.size());
  const bool has_twins = kept_.size() > 1;
  pair_equal(history, answer);
  // Where some that are known are not there, the next answer tells which of them the others have become: taken for one
  // that stands behind the fault, an entry would make that one new again. A broken answer is never the last.
  if (has_twins && !kept_.empty() && !rules.whole) return;
  // What was emitted once in final state is served in final state again, so final ones pair first.
  if (rules.only_final) {
    std::stable_partition(served_.begin(), served_.end(), [&](std::uint32_t i) { return answer[i].final; });
  }
  const std::size_t paired = std::min(served_.size(), kept_.size());
  for (std::size_t i = 0; i < paired; ++i)
    emit_changed(history, answer[served_[i]], served_[i], kept_[i].position, rules);
  std::uint32_t ordinal = 0;
  const bool has_new_twin = served_.size() - paired > 1;
  for (std::size_t i = paired; i < served_.size(); ++i) {
    const EntryDigest& entry = answer[served_[i]];
    if (rules.only_final && !rules.last_read && !entry.final) continue;
    while (known_.find(twin_key(base, ordinal, session_key)) != Table::kNone) ++ordinal;
    emissions_.push_back(
        {served_[i], entry.hash, twin_key(base, ordinal++, session_key), Change::kNew, has_new_twin, Table::kNone});
  }
}

// Takes out of served_ and kept_ what pairs by equal hash, in any order. The rest keeps its order.
void HistoryComparer::pair_equal(const SessionHistory& history, std::span<const EntryDigest> answer) {
  if (kept_.empty()) return;
  if (served_.size() == 1 && kept_.size() == 1) {
    if (answer[served_[0]].hash == history.hash(kept_[0].position)) {
      served_.clear();
      kept_.clear();
    }
    return;
  }
  const auto served_hash = [&](std::uint32_t i) { return answer[i].hash; };
  const auto kept_hash = [&](const Known& known) { return history.hash(known.position); };
  served_by_hash_ = served_;
  kept_by_hash_ = kept_;
  std::ranges::stable_sort(served_by_hash_, {}, served_hash);
  std::ranges::stable_sort(kept_by_hash_, {}, kept_hash);
  served_.clear();
  kept_.clear();
  auto served = served_by_hash_.begin();
  auto kept = kept_by_hash_.begin();
  while (served != served_by_hash_.end() && kept != kept_by_hash_.end()) {
    if (served_hash(*served) == kept_hash(*kept)) {
      ++served, ++kept;
    } else if (served_hash(*served) < kept_hash(*kept)) {
      served_.push_back(*served++);
    } else {
      kept_.push_back(*kept++);
    }
  }
  served_.insert(served_.end(), served, served_by_hash_.end());
  kept_.insert(kept_.end(), kept, kept_by_hash_.end());
  std::ranges::sort(served_);
  std::ranges::sort(kept_, {}, &Known::ordinal);
}

void HistoryComparer::emit_changed(const SessionHistory& history, const EntryDigest& entry, std::uint32_t index,
                                   std::uint32_t position, CompareRules rules) {
  if (rules.only_final) return;
  if (history.changes(position) >= SessionHistory::kMostChanges && !rules.last_read) return;
  emissions_.push_back({index, entry.hash, history.key(position), Change::kChanged, false, position});
}

}  // namespace sessionlogd
