#include "core/session_history.h"

#include <algorithm>
#include <bit>

#include "core/identity.h"

namespace sessionlogd {

void SessionHistory::append(std::uint64_t key, std::uint32_t hash, std::uint8_t changes) {
  keys_.push_back(key);
  hashes_.push_back(hash);
  changes_.push_back(changes);
}

void SessionHistory::set(std::size_t i, std::uint32_t hash, std::uint8_t changes) {
  hashes_[i] = hash;
  changes_[i] = changes;
}

void SessionHistory::forget() { *this = SessionHistory(); }

std::size_t SessionHistory::memory_bytes() const {
  return keys_.capacity() * sizeof(std::uint64_t) + hashes_.capacity() * sizeof(std::uint32_t) + changes_.capacity();
}

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

const HistoryComparer::Outcome& HistoryComparer::compare(SessionHistory& history, std::span<const EntryDigest> answer,
                                                         std::uint64_t session_key, CompareRules rules) {
  outcome_.emissions.clear();
  outcome_.touched.clear();
  if (skip_known_prefix(history, answer) == answer.size()) return outcome_;

  known_.reset(history.size() + answer.size());
  for (std::size_t i = 0; i < history.size(); ++i) known_.find_or_insert(history.key(i), static_cast<std::uint32_t>(i));
  group_by_identity(answer);
  for (const std::uint32_t first : first_) compare_group(history, answer, first, session_key, rules);

  // Twins are taken together; what comes of them goes back into the order of the answer.
  std::sort(outcome_.emissions.begin(), outcome_.emissions.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
  return outcome_;
}

// Most answers repeat what is known in the order in which it came. Twins never match here, since only the first of them has its
// identity as its key: they take the long way.
std::size_t HistoryComparer::skip_known_prefix(const SessionHistory& history, std::span<const EntryDigest> answer) const {
  const std::size_t most = std::min(history.size(), answer.size());
  std::size_t i = 0;
  while (i < most && history.key(i) == answer[i].base && history.hash(i) == answer[i].hash) ++i;
  return i;
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

void HistoryComparer::compare_group(SessionHistory& history, std::span<const EntryDigest> answer, std::uint32_t first,
                                    std::uint64_t session_key, CompareRules rules) {
  const std::uint64_t base = answer[first].base;
  served_.clear();
  for (std::uint32_t i = first; i != Table::kNone; i = next_[i]) served_.push_back(i);
  kept_.clear();
  std::uint32_t ordinals = 0;
  for (;; ++ordinals) {
    const std::uint32_t position = known_.find(twin_key(base, ordinals, session_key));
    if (position == Table::kNone) break;
    kept_.push_back(position);
  }

  pair_equal(history, answer);
  // What was emitted once in final state is served in final state again, so final ones pair first.
  if (rules.only_final) {
    std::stable_partition(served_.begin(), served_.end(), [&](std::uint32_t i) { return answer[i].final; });
  }
  const std::size_t changed = std::min(served_.size(), kept_.size());
  for (std::size_t i = 0; i < changed; ++i) emit_changed(history, answer, served_[i], kept_[i], rules);
  for (std::size_t i = changed; i < served_.size(); ++i) {
    if (rules.only_final && !rules.last_read && !answer[served_[i]].final) continue;
    emit_new(history, answer, served_[i], twin_key(base, ordinals++, session_key));
  }
}

// Takes out of served_ and kept_ what pairs by equal hash, in any order. The rest keeps its order.
void HistoryComparer::pair_equal(const SessionHistory& history, std::span<const EntryDigest> answer) {
  if (served_.size() == 1 && kept_.size() == 1) {
    if (answer[served_[0]].hash == history.hash(kept_[0])) {
      served_.clear();
      kept_.clear();
    }
    return;
  }
  if (kept_.empty()) return;
  by_hash_served_ = served_;
  by_hash_kept_ = kept_;
  std::stable_sort(by_hash_served_.begin(), by_hash_served_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return answer[a].hash < answer[b].hash; });
  std::stable_sort(by_hash_kept_.begin(), by_hash_kept_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return history.hash(a) < history.hash(b); });
  served_.clear();
  kept_.clear();
  std::size_t s = 0, k = 0;
  while (s < by_hash_served_.size() && k < by_hash_kept_.size()) {
    const std::uint32_t served_hash = answer[by_hash_served_[s]].hash;
    const std::uint32_t kept_hash = history.hash(by_hash_kept_[k]);
    if (served_hash == kept_hash) {
      ++s, ++k;
    } else if (served_hash < kept_hash) {
      served_.push_back(by_hash_served_[s++]);
    } else {
      kept_.push_back(by_hash_kept_[k++]);
    }
  }
  served_.insert(served_.end(), by_hash_served_.begin() + static_cast<std::ptrdiff_t>(s), by_hash_served_.end());
  kept_.insert(kept_.end(), by_hash_kept_.begin() + static_cast<std::ptrdiff_t>(k), by_hash_kept_.end());
  std::sort(served_.begin(), served_.end());
  std::sort(kept_.begin(), kept_.end());  // positions rise with ordinals: twins are appended in that order
}

void HistoryComparer::emit_changed(SessionHistory& history, std::span<const EntryDigest> answer, std::uint32_t served,
                                   std::uint32_t known, CompareRules rules) {
  if (rules.only_final) return;
  const std::uint8_t changes = history.changes(known);
  if (changes >= SessionHistory::kMostChanges && !rules.last_read) return;
  history.set(known, answer[served].hash, std::min<std::uint8_t>(changes + 1, SessionHistory::kMostChanges));
  outcome_.emissions.push_back({served, Change::kChanged, history.key(known)});
  outcome_.touched.push_back(known);
}

void HistoryComparer::emit_new(SessionHistory& history, std::span<const EntryDigest> answer, std::uint32_t served, std::uint64_t key) {
  outcome_.touched.push_back(static_cast<std::uint32_t>(history.size()));
  history.append(key, answer[served].hash, 0);
  outcome_.emissions.push_back({served, Change::kNew, key});
}

}  // namespace sessionlogd
