#include "core/session_table.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "core/identity.h"

namespace sessionlogd {

SessionTable::SessionTable(const SourceSettings& settings, RestoredSource restored)
    : settings_(settings),
      zone_(settings.time_zone),
      source_(restored.source),
      done_(std::move(restored.done)),
      kept_(std::move(restored.kept)) {
  for (auto& [key, state] : restored.sessions) add(std::move(state));
}

SessionTable::TakenIn SessionTable::take_in(const ListedSession& listed, std::vector<StateRecord>& records) {
  std::optional<Slot> replaced;
  for (std::uint32_t generation = 0;; ++generation) {
    const std::uint64_t key = session_key(settings_.id, listed.id, generation);
    TakenIn taken{TakenIn::As::kIgnored};
    if (const auto known = slots_.find(key); known != slots_.end()) {
      Session& session = sessions_[known->second];
      if (session.replaced || !same_start(session.state.digest, listed.digest)) {
        session.replaced = true;
        replaced = known->second;
        continue;
      }
      taken = take_in_known(known->second, listed, records);
    } else if (const auto mark = done_.find(key)) {
      if (!same_start(mark->digest, listed.digest)) continue;
      if (mark->latest < source_.floor) shown_below_floor_.insert(key);
      if (mark->digest != listed.digest) {
        done_.erase(key);
        taken = take_in_new(listed, key, mark, records);
      }
    } else {
      taken = take_in_new(listed, key, std::nullopt, records);
    }
    taken.replaced = replaced;
    return taken;
  }
}

SessionTable::TakenIn SessionTable::take_in_new(const ListedSession& listed, std::uint64_t key,
                                                const std::optional<DoneMark>& mark,
                                                std::vector<StateRecord>& records) {
  SessionState state;
  state.key = key;
  state.digest = listed.digest;
  const SessionInfo info = info_of(listed);
  state.info = info;
  const bool final = settings_.dialect->session_is_final(listed.status);
  // Its done mark, if it had one, was dropped.
  if (!mark && final && info.start && *info.start < source_.floor) return {TakenIn::As::kIgnored};
  if (mark) {
    state.latest = state.only_after = mark->latest;
    if (auto kept = kept_.extract(key)) state.history = std::move(kept.mapped());
  }
  records.push_back({key, StateRecord::kSessionPart, encode_session(state)});
  const Slot slot = add(std::move(state));
  sessions_[slot].life.listed(final, info.stop, listed.shown);
  sessions_[slot].shown = true;
  return {TakenIn::As::kNew, slot};
}

SessionTable::TakenIn SessionTable::take_in_known(Slot slot, const ListedSession& listed,
                                                  std::vector<StateRecord>& records) {
  Session& session = sessions_[slot];
  session.shown = true;
  const SessionInfo info = info_of(listed);
  const bool was_final = session.life.final();
  session.life.listed(settings_.dialect->session_is_final(listed.status), info.stop, listed.shown);
  if (info != session.state.info.view() || listed.digest != session.state.digest) {
    session.state.info = info;
    session.state.digest = listed.digest;
    records.push_back({session.state.key, StateRecord::kSessionPart, encode_session(session.state)});
  }
  return {session.life.final() && !was_final ? TakenIn::As::kFinished : TakenIn::As::kKnown, slot};
}

SessionInfo SessionTable::info_of(const ListedSession& listed) const {
  SessionInfo info{.id = listed.id,
                   .type = listed.type,
                   .name = listed.name,
                   .parent = listed.parent,
                   .status = listed.status,
                   .start = std::nullopt,
                   .stop = std::nullopt};
  if (listed.start) info.start = zone_.to_utc(*listed.start);
  if (listed.stop) info.stop = zone_.to_utc(*listed.stop);
  return info;
}

void SessionTable::finish(Slot slot, std::vector<StateRecord>& records) {
  Session& session = sessions_[slot];
  --phases_[static_cast<std::size_t>(session.state.phase)];
  append_done(session.state, records);
  done_.put(session.state.key, done_mark(session.state));
  if (session.state.history.size() > 0) kept_[session.state.key] = std::move(session.state.history);
  slots_.erase(session.state.key);
  session = Session();
  free_.push_back(slot);
}

void SessionTable::enter(Slot slot, Phase phase) {
  --phases_[static_cast<std::size_t>(sessions_[slot].state.phase)];
  ++phases_[static_cast<std::size_t>(phase)];
  sessions_[slot].state.phase = phase;
}

std::vector<std::string> SessionTable::open_but_not_in(const std::vector<ListedSession>& listed) {
  std::unordered_set<std::string_view> shown;
  for (const ListedSession& session : listed) shown.insert(session.id);
  std::vector<std::string> missing;
  for (const auto& [key, slot] : slots_) {
    Session& session = sessions_[slot];
    session.shown = shown.contains(session.state.info.id());
    const bool asked_for = !session.life.final() || session.is_strange();
    if (asked_for && !session.shown && !session.replaced) missing.emplace_back(session.state.info.id());
  }
  return missing;
}

void SessionTable::raise_floor(Instant from, Instant forgotten, std::vector<StateRecord>& records) {
  source_.floor = std::max(source_.floor, from);
  // A mark's time is at least its session's start, so nothing is dropped that the floor does not cover.
  const Instant before = std::min(source_.floor, forgotten);
  done_.erase_if([&](std::uint64_t key, const DoneMark& mark) {
    if (mark.latest >= before || shown_below_floor_.contains(key)) return false;
    const auto kept = kept_.extract(key);
    append_removal(key, kept ? kept.mapped() : SessionHistory(), records);
    return true;
  });
  shown_below_floor_.clear();
}

void SessionTable::lower_floor(Instant since, std::vector<StateRecord>& records) {
  source_.floor = std::min(source_.floor, since);
  // The next window begins an overlap before this.
  const auto overlap = std::chrono::nanoseconds(settings_.poll.overlap).count();
  const Instant listed_to = add_nanoseconds(since, overlap).value_or(since);
  source_.listed_to = std::min(source_.listed_to.value_or(listed_to), listed_to);
  records.push_back({0, StateRecord::kSourcePart, encode_source(source_)});
}

RestoredSource SessionTable::release() {
  RestoredSource all;
  all.source = source_;
  for (const auto& [key, slot] : slots_) all.sessions.emplace(key, std::move(sessions_[slot].state));
  all.done = std::exchange(done_, {});
  all.kept = std::move(kept_);
  sessions_.clear();
  free_.clear();
  slots_.clear();
  return all;
}

std::vector<SessionTable::Slot> SessionTable::slots() const {
  std::vector<Slot> all;
  for (const auto& [key, slot] : slots_) all.push_back(slot);
  return all;
}

SessionTable::Slot SessionTable::add(SessionState state) {
  Slot slot = 0;
  if (free_.empty()) {
    slot = static_cast<Slot>(sessions_.size());
    sessions_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  slots_[state.key] = slot;
  ++phases_[static_cast<std::size_t>(state.phase)];
  sessions_[slot].state = std::move(state);
  return slot;
}

}  // namespace sessionlogd
