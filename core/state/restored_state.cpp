#include "core/state/restored_state.h"

#include <algorithm>
#include <utility>

#include "core/base/clock.h"
#include "core/state/generations.h"

namespace sessionlogd {

void RestoredState::record(std::string_view source_id, const StateRecord& record) {
  Source& source = sources_[std::string(source_id)];
  if (record.value.empty()) return remove(source, record);
  if (record.part == StateRecord::kSourcePart) {
    source.restored.source = decode_source(record.value);
  } else if (record.part == StateRecord::kSessionPart) {
    SessionState session = decode_session(record.value);
    session.key = record.session_key;
    if (session.phase == Phase::kDone) {
      source.restored.sessions.erase(record.session_key);
      source.restored.done.put(record.session_key, decode_mark(record.value));
    } else {
      source.restored.done.erase(record.session_key);
      source.restored.sessions[record.session_key] = std::move(session);
    }
  } else {
    source.chunks[record.session_key][record.part] = record.value;
  }
}

void RestoredState::remove(Source& source, const StateRecord& record) {
  if (record.part == StateRecord::kSourcePart) {
    source.restored.source = {};
  } else if (record.part == StateRecord::kSessionPart) {
    source.restored.sessions.erase(record.session_key);
    source.restored.done.erase(record.session_key);
  } else if (const auto found = source.chunks.find(record.session_key); found != source.chunks.end()) {
    found->second.erase(record.part);
    if (found->second.empty()) source.chunks.erase(found);
  }
}

void RestoredState::delivered(const Delivered& event) {
  Source& source = sources_[std::string(event.source_id)];
  Touched& touched = touched_[{std::string(event.source_id), event.session_key}];
  SessionState& session = session_of(source, event, touched.opened);
  SessionHistory& history = session.history;
  if (touched.positions.empty()) {
    for (std::size_t i = 0; i < history.size(); ++i) touched.positions[history.key(i)] = static_cast<std::uint32_t>(i);
  }
  // Of what was known by its fingerprint only the lower half of the key is there.
  const auto half = touched.positions.find(static_cast<std::uint32_t>(event.entry_key));
  const bool is_half = half != touched.positions.end() && (history.marks(half->second) & SessionHistory::kHalf) != 0;
  const auto [at, fresh] =
      is_half ? std::pair(half, false)
              : touched.positions.try_emplace(event.entry_key, static_cast<std::uint32_t>(history.size()));
  const Change change = fresh ? Change::kNew : Change::kChanged;
  history.advance({0, event.hash, event.entry_key, change, false, at->second});
  if (event.log_time) {
    session.latest = std::max<Instant>(session.latest, *event.log_time);
    raise_line_limit(source, event);
  }
  touched.changed.push_back(at->second);
}

// The state of the source is made of the output: first contact is to begin where that ends. A log time that lies behind
// the time at which it was read, or ahead of now, says nothing of how far that is.
void RestoredState::raise_line_limit(Source& source, const Delivered& event) {
  SourceState& state = source.restored.source;
  if (state.line || state.listed_to) return;
  const Instant reached = std::min(*event.log_time, event.read_at.value_or(*event.log_time));
  if (reached > system_now() || (state.line_limit && *state.line_limit >= reached)) return;
  state.line_limit = reached;
  source.line_limit_raised = true;
}

// What is committed of the session, or a new one of which only the output knows: the next listing fills in the rest.
SessionState& RestoredState::session_of(Source& source, const Delivered& event, bool& opened) {
  const auto [at, fresh] = source.restored.sessions.try_emplace(event.session_key);
  SessionState& session = at->second;
  join_chunks(source, event.session_key, session.history);
  if (!fresh) return session;
  session.key = event.session_key;
  session.info = SessionInfo{.id = event.session_id};
  session.phase = Phase::kOpen;
  const auto mark = source.restored.done.find(event.session_key);
  if (!mark) return session;
  // It was done and had just been opened again.
  opened = true;
  const bool has_fingerprints = mark->kind == DoneMark::Kind::kDelivered && session.history.size() > 0;
  if (!has_fingerprints) open_again(session, *mark);
  source.restored.done.erase(event.session_key);
  return session;
}

void RestoredState::join_chunks(Source& source, std::uint64_t key, SessionHistory& history) {
  const auto found = source.chunks.find(key);
  if (found == source.chunks.end()) return;
  append_rows(found->second, history);
  source.chunks.erase(found);
}

void RestoredState::append_rows(const Chunks& chunks, SessionHistory& history) {
  for (const auto& [part, row] : chunks) decode_chunk(row, history);
}

std::vector<Batch> RestoredState::settle() {
  std::vector<Batch> batches;
  end_given_away(batches);
  for (const auto& [where, touched] : touched_) {
    const auto& sessions = sources_[where.first].restored.sessions;
    const auto at = sessions.find(where.second);
    if (at == sessions.end()) continue;
    const SessionState& session = at->second;
    Batch batch;
    batch.source_id = where.first;
    if (touched.opened) {
      append_opened(session, batch.records);
    } else {
      batch.records.push_back({session.key, StateRecord::kSessionPart, encode_session(session)});
      append_chunks(session, touched.changed, batch.records);
    }
    batches.push_back(std::move(batch));
  }
  touched_.clear();
  for (auto& [id, source] : sources_) {
    if (!std::exchange(source.line_limit_raised, false)) continue;
    Batch batch;
    batch.source_id = id;
    batch.records.push_back({0, StateRecord::kSourcePart, encode_source(source.restored.source)});
    batches.push_back(std::move(batch));
  }
  return batches;
}

// Of an id that was given to another session the output may know the other one, and the state not yet that the first
// one is over.
void RestoredState::end_given_away(std::vector<Batch>& batches) {
  for (const auto& [where, touched] : touched_) {
    const auto& sessions = sources_[where.first].restored.sessions;
    const auto at = sessions.find(where.second);
    if (at == sessions.end() || at->second.digest != 0) continue;
    Batch batch;
    batch.source_id = where.first;
    end_those_before(where.first, at->second, batch.records);
    for (const StateRecord& ended : batch.records) record(where.first, ended);
    if (!batch.records.empty()) batches.push_back(std::move(batch));
  }
}

// What may be missing of them was said before the later one was read.
void RestoredState::end_those_before(const std::string& source_id, const SessionState& later,
                                     std::vector<StateRecord>& records) {
  Source& source = sources_[source_id];
  struct Known {
    std::uint64_t key;
    SessionState* open;
  };
  const auto look = [&](std::uint32_t, std::uint64_t key) -> std::optional<Known> {
    const auto open = source.restored.sessions.find(key);
    if (open != source.restored.sessions.end()) return Known{key, &open->second};
    return source.restored.done.contains(key) ? std::optional(Known{key, nullptr}) : std::nullopt;
  };
  std::vector<SessionState*> before;
  bool is_reached = false;
  for_each_generation(source_id, later.info.id(), look, [&](const Known& one) {
    is_reached |= one.key == later.key;
    if (!is_reached && one.open != nullptr) before.push_back(one.open);
  });
  for (SessionState* session : before) {
    join_chunks(source, session->key, session->history);
    session->digest = digest_of_given_up(session->digest);
    append_end(*session, system_now(), records);
  }
}

std::vector<std::string> RestoredState::source_ids() const {
  std::vector<std::string> ids;
  ids.reserve(sources_.size());
  for (const auto& [id, source] : sources_) ids.push_back(id);
  return ids;
}

RestoredSource RestoredState::take(std::string_view source_id) {
  const auto found = sources_.find(std::string(source_id));
  if (found == sources_.end()) return {};
  Source source = std::move(found->second);
  sources_.erase(found);
  for (auto& [key, session] : source.restored.sessions) join_chunks(source, key, session.history);
  join_fingerprints(source);
  return std::move(source.restored);
}

// What is left is of done sessions, or of some whose own row is missing. What was done first goes first when there is
// no room.
void RestoredState::join_fingerprints(Source& source) {
  struct Done {
    Instant made;
    std::uint64_t key;
  };
  std::vector<Done> by_age;
  RestoredSource& restored = source.restored;
  for (const auto& [key, rows] : source.chunks) {
    const auto mark = restored.done.find(key);
    if (!mark) continue;
    if (mark->kind == DoneMark::Kind::kOld) {
      append_rows(rows, restored.kept[key]);
    } else {
      by_age.push_back({mark->made, key});
    }
  }
  std::ranges::sort(by_age, {}, &Done::made);
  for (const Done& done : by_age) {
    const auto rows = source.chunks.extract(done.key);
    SessionHistory history;
    append_rows(rows.mapped(), history);
    DoneMark mark = *restored.done.find(done.key);
    mark.place = restored.fingerprints.put(done.key, history);
    restored.done.put(done.key, mark);
  }
}

}  // namespace sessionlogd
