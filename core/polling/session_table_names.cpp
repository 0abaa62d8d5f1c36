// The sessions that an id names, one after the other.
#include <algorithm>
#include <cstdlib>

#include "core/polling/named_session.h"
#include "core/polling/session_table.h"
#include "core/state/identity.h"

namespace sessionlogd {

std::optional<SessionTable::Named> SessionTable::named(std::uint32_t generation, std::uint64_t key) const {
  if (const auto open = slots_.find(key); open != slots_.end())
    return Named{.generation = generation, .key = key, .slot = open->second, .digest = at(open->second).state.digest};
  const auto mark = marks_.find(key);
  if (!mark) return std::nullopt;
  return Named{.generation = generation, .key = key, .mark = mark, .digest = mark->digest};
}

SessionTable::Named SessionTable::generation_of(std::string_view id, std::uint32_t generation) const {
  const std::uint64_t key = session_key(settings_.id, id, generation);
  return named(generation, key).value_or(Named{.generation = generation, .key = key});
}

std::vector<SessionTable::Named> SessionTable::all_named(std::string_view id) const {
  std::vector<Named> all;
  const auto look = [this](std::uint32_t generation, std::uint64_t key) { return named(generation, key); };
  for_each_generation(settings_.id, id, look, [&](const Named& one) { all.push_back(one); });
  return all;
}

bool SessionTable::knows(std::string_view id) const { return !all_named(id).empty(); }

// The marks of all that the id ever named are shown by this: they go together.
std::optional<SessionTable::Named> SessionTable::find(const ListedSession& listed, bool& other_start,
                                                      std::vector<StateRecord>& records) {
  const auto look = [&](std::uint32_t generation, std::uint64_t key) {
    auto one = named(generation, key);
    if (one && one->mark) marks_.shown(key, *one->mark, records);
    return one;
  };
  return find_named(settings_.id, listed, look, other_start);
}

// By our clock: one that steps puts it off for an hour at most.
bool SessionTable::is_restless(std::string_view id, Instant now) const {
  std::size_t young = 0;
  for (const Named& one : all_named(id)) {
    const bool is_done = one.mark && one.mark->kind == DoneMark::Kind::kDelivered;
    const std::int64_t age = is_done ? now.seconds - one.mark->made.seconds : 0;
    if ((one.slot || is_done) && std::abs(age) < std::chrono::seconds{kYoung}.count()) ++young;
  }
  return young >= kMostYoung;
}

std::vector<SessionTable::Slot> SessionTable::others_of(const ListedSession& row) const {
  std::vector<Slot> others;
  bool is_named = false;
  for (const Named& one : all_named(row.id)) {
    const bool is_it = has_start_of(one.digest, row);
    is_named |= is_it;
    if (one.slot && !is_it) others.push_back(*one.slot);
  }
  return is_named ? others : std::vector<Slot>();
}

bool SessionTable::has_others(Slot slot) const {
  const auto is_open = [](const Named& one) { return one.slot.has_value(); };
  return std::ranges::count_if(all_named(at(slot).state.info.id()), is_open) > 1;
}

std::optional<std::uint64_t> SessionTable::delivered_since(const ListedSession& row, Instant since) const {
  bool other_start = false;
  const auto look = [this](std::uint32_t generation, std::uint64_t key) { return named(generation, key); };
  const auto as = find_named(settings_.id, row, look, other_start);
  const bool is_as_it_was =
      as && as->mark && as->digest == row.digest && settings_.dialect->session_is_final(row.status);
  if (!is_as_it_was || as->mark->kind != DoneMark::Kind::kDelivered) return std::nullopt;
  const SessionInfo info = info_of(row);
  const bool is_recent = as->mark->made >= since || info.start >= since || info.stop >= since;
  return is_recent ? std::optional(as->key) : std::nullopt;
}

}  // namespace sessionlogd
