#include "core/entries/audit.h"

#include <algorithm>
#include <utility>

#include "core/state/identity.h"

namespace sessionlogd {
namespace {

// Times move when an entry is updated, but never to before its session began.
Instant earliest_time(const std::optional<Instant>& session_start, const SessionLog& log, const ZoneRules& zone) {
  Instant earliest = session_start.value_or(Instant{INT64_MAX});
  for (const Entry& entry : log.entries) {
    const bool has_time = entry.fault == nullptr && (entry.log_time || entry.start);
    if (!has_time && !session_start) return Instant{INT64_MIN};
    for (const std::optional<ReadTime>& time : {entry.log_time, entry.start}) {
      if (has_time && time) earliest = std::min(earliest, zone.to_utc(*time));
    }
  }
  return earliest;
}

}  // namespace

// What of a history is asked for by key: the hashes; of entries that are half by the lower halves of their keys.
class Audit::HashesOf {
 public:
  explicit HashesOf(const SessionHistory* history) {
    for (std::size_t i = 0; history != nullptr && i < history->size(); ++i)
      (history->is_half(i) ? halves_ : keys_).try_emplace(history->key(i), history->hash(i));
  }
  std::optional<std::uint32_t> find(std::uint64_t key) const {
    if (const auto whole = keys_.find(key); whole != keys_.end()) return whole->second;
    const auto half = halves_.find(static_cast<std::uint32_t>(key));
    return half != halves_.end() ? std::optional(half->second) : std::nullopt;
  }

 private:
  boost::unordered_flat_map<std::uint64_t, std::uint32_t> keys_, halves_;
};

Instant Audit::expect(Session session, const SessionLog& log, const ZoneRules& zone, bool only_final,
                      FormerReadings& former) {
  const auto number = static_cast<std::uint32_t>(sessions_.size());
  by_key_[session.key] = number;
  SessionEntries& all = sessions_.emplace_back();
  all.session = std::move(session);
  all.shows_none = log.entries.empty();

  for (const Entry& entry : log.entries) ++all.twins[entry.base].size;
  Counted ranks, ordinals;
  const HashesOf remembered(all.session.remembered);
  for (const Emission& emission : entries_of(log, all.session.key, only_final)) {
    const FormerDigest digest = former.former(emission.index);
    const Entry& entry = log.entries[emission.index];
    Expected expected{.hash = emission.hash, .former_hash = digest.hash, .base = entry.base, .log_time = {}};
    expected.rank = ranks[entry.base]++;
    if (entry.fault == nullptr && entry.log_time) expected.log_time = zone.to_utc(*entry.log_time);
    add_aliases(all, emission.key, digest, ordinals);
    const std::optional<std::uint32_t> known = remembered.find(emission.key);
    expected.remembered = known || (expected.log_time && *expected.log_time <= all.session.delivered_to);
    expected.remembered_as_it_is = known == emission.hash;
    all.entries.emplace(emission.key, expected);
  }
  for (const auto& [was, key] : all.aliases) {
    if (remembered.find(was)) all.entries.at(key).remembered = true;
  }
  count_remembered(all, remembered, ranks);
  boost::unordered::erase_if(all.twins, [](const auto& twins) { return twins.second.size < 2; });
  return earliest_time(all.session.start, log, zone);
}

// All that are due, with their keys.
const std::vector<Emission>& Audit::entries_of(const SessionLog& log, std::uint64_t session_key, bool only_final) {
  digests_.clear();
  for (const Entry& entry : log.entries) digests_.push_back({entry.base, entry.hash, entry.final});
  const CompareRules rules{.only_final = only_final, .last_read = false};
  return comparer_.compare(SessionHistory(), digests_, session_key, rules);
}

void Audit::expect_still(const Session& session, const SessionLog& log, bool only_final) {
  SessionEntries& all = sessions_[by_key_.at(session.key)];
  all.shows_none = log.entries.empty();
  for (auto& [key, entry] : all.entries) entry.is_shown = entry.is_shown_so = false;
  for (const Emission& emission : entries_of(log, session.key, only_final)) {
    const auto entry = all.entries.find(emission.key);
    if (entry == all.entries.end()) continue;
    entry->second.is_shown = true;
    entry->second.is_shown_so = entry->second.hash == emission.hash;
  }
}

// Twins had the next ordinals then as they have now.
void Audit::add_aliases(SessionEntries& all, std::uint64_t key, const FormerDigest& former, Counted& ordinals) {
  for (const std::uint64_t base : {former.base, former.earlier}) {
    const std::uint64_t was = twin_key(base, ordinals[base]++, all.session.key);
    if (was != key) all.aliases.try_emplace(was, key);
  }
}

// Twins that the log shows no more count, too: what is left, `due` of each identity, may have the key of any.
void Audit::count_remembered(SessionEntries& all, const HashesOf& remembered, const Counted& due) {
  for (const auto& [key, entry] : all.entries) all.twins.at(entry.base).remembered += entry.remembered;
  for (const auto& [base, count] : due) {
    Twins& twins = all.twins.at(base);
    const std::uint64_t first = twin_key(base, 0, all.session.key);
    Expected& left = all.entries.at(first);
    for (std::uint32_t ordinal = count;; ++ordinal) {
      const std::uint64_t gone = twin_key(base, ordinal, all.session.key);
      const std::optional<std::uint32_t> form = remembered.find(gone);
      if (!form) break;
      ++twins.remembered;
      all.aliases.try_emplace(gone, first);
      left.remembered = true;
      left.remembered_as_it_is |= *form == left.hash;
    }
  }
}

void Audit::delivered(const Delivered& event) {
  const auto session = by_key_.find(event.session_key);
  if (session == by_key_.end()) return;
  SessionEntries& all = sessions_[session->second];
  auto entry = all.entries.find(event.entry_key);
  if (const auto alias = all.aliases.find(event.entry_key); entry == all.entries.end() && alias != all.aliases.end())
    entry = all.entries.find(alias->second);
  if (entry == all.entries.end()) {
    if (event.log_time) ++all.extra;
    return;
  }
  if (const auto twins = all.twins.find(entry->second.base); twins != all.twins.end())
    twins->second.delivered.insert(event.entry_key);
  entry->second.delivered = true;
  entry->second.as_it_is |= entry->second.hash == event.hash || entry->second.former_hash == event.hash;
}

void Audit::forget_delivered() {
  for (SessionEntries& all : sessions_) {
    all.extra = 0;
    for (auto& [base, twins] : all.twins) twins.delivered.clear();
    for (auto& [key, entry] : all.entries) entry.delivered = entry.as_it_is = false;
  }
}

// Of twins it counts how many there are, each with its rank.
Audit::State Audit::state_of(const SessionEntries& all, const Expected& entry) {
  const auto twins = all.twins.find(entry.base);
  const bool is_twin = twins != all.twins.end();
  if (is_twin ? entry.rank < twins->second.delivered.size() : entry.as_it_is) return State::kWell;
  const Instant due_before = all.session.due_before;
  const bool is_due = entry.log_time ? *entry.log_time < due_before : due_before.seconds != INT64_MIN;
  const bool has_other_form = entry.delivered && !is_twin;
  const bool is_still_shown = has_other_form ? entry.is_shown_so : entry.is_shown;
  const bool will_not_come = has_other_form ? entry.remembered_as_it_is : is_remembered(all, entry);
  if (!will_not_come && !(is_due && is_still_shown)) return State::kPending;
  return has_other_form ? State::kChanged : State::kMissing;
}

bool Audit::is_remembered(const SessionEntries& all, const Expected& entry) {
  const auto twins = all.twins.find(entry.base);
  return twins == all.twins.end() ? entry.remembered : entry.rank < twins->second.remembered;
}

bool Audit::is_in_question(const SessionEntries& all) {
  if (all.shows_none && all.extra > 0) return true;
  return std::ranges::any_of(all.entries, [&](const auto& entry) {
    const State state = state_of(all, entry.second);
    return state == State::kMissing || state == State::kChanged;
  });
}

std::vector<const Audit::Session*> Audit::in_question() const {
  std::vector<const Session*> found;
  for (const SessionEntries& all : sessions_) {
    if (is_in_question(all)) found.push_back(&all.session);
  }
  return found;
}

std::vector<Audit::Counts> Audit::counts(std::size_t sources) const {
  std::vector<Counts> by_source(sources);
  for (const SessionEntries& all : sessions_) {
    Counts& counts = by_source[all.session.source];
    ++counts.sessions;
    counts.extra += all.extra;
    counts.emptied += all.shows_none && all.extra > 0;
    counts.entries += all.entries.size();
    for (const auto& [key, entry] : all.entries) {
      const State state = state_of(all, entry);
      counts.missing += state == State::kMissing;
      counts.changed += state == State::kChanged;
      counts.pending += state == State::kPending;
    }
  }
  return by_source;
}

std::vector<Audit::Finding> Audit::findings(std::size_t most) const {
  std::vector<Finding> found;
  for (const SessionEntries& all : sessions_) {
    for (const auto& [key, entry] : all.entries) {
      const State state = state_of(all, entry);
      if (state != State::kMissing && state != State::kChanged) continue;
      if (found.size() == most) return found;
      found.push_back(
          {all.session.source, all.session.id, entry.log_time, state == State::kChanged, is_remembered(all, entry)});
    }
  }
  return found;
}

}  // namespace sessionlogd
