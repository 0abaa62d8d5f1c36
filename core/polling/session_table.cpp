#include "core/polling/session_table.h"

#include <algorithm>
#include <utility>

#include "core/polling/named_session.h"
#include "core/state/identity.h"

namespace sessionlogd {
namespace {

using Kind = DoneMark::Kind;

// Of a state of a version that kept a floor: what had ended and had begun before the floor, now and the newest mark was
// delivered by it, or never will be. A clock may have carried the floor away.
std::optional<Instant> done_before(const SourceState& source, const SessionMarks& marks, Instant now) {
  if (!source.listed_to || !source.floor || *source.floor == kNever) return std::nullopt;
  const Instant newest = marks.latest();
  const Instant before = std::min(*source.floor, now);
  return newest == kNever ? before : std::min(before, newest);
}

// From the westernmost zone to the easternmost: a stop time that is read in a wrong one is off by that at most.
constexpr std::chrono::hours kWidestZones{26};

bool ended_long_ago(const Showing& how, std::optional<Instant> stop, std::chrono::milliseconds settle) {
  if (!how.ended_long_ago_counts || !stop) return false;
  const auto settled = add_nanoseconds(*stop, std::chrono::nanoseconds(settle + kWidestZones).count());
  return settled && *settled < how.ours && *settled < how.theirs;
}

// Nothing that was delivered of it would be delivered again under another key.
bool nothing_is_known_of(const SessionState& state) {
  return state.history.size() == 0 && !state.delivered_sum && state.only_after == kNever;
}

void add_texts(HashInput& input, const std::vector<std::string>& texts) {
  for (const std::string& text : texts) input.add_text(text);
  input.add_absent();
}

}  // namespace

bool is_wanted(const SourceSettings& settings, const ListedSession& session) {
  const auto& types = settings.session_types;
  const auto holds = [&](const std::vector<std::string>& list) {
    return std::ranges::find(list, session.type) != list.end();
  };
  return (types.include.empty() || holds(types.include)) && !holds(types.exclude);
}

std::uint64_t reading_of(const SourceSettings& settings) {
  const auto& dialect = settings.dialect->sessions;
  HashInput input;
  for (const auto* paths : {&dialect.id, &dialect.type, &dialect.status, &dialect.start, &dialect.stop,
                            &dialect.update_number, &dialect.final_words})
    add_texts(input, *paths);
  for (const std::string& text : {dialect.path, dialect.items, settings.api_version, settings.time_zone.name})
    input.add_text(text);
  return std::max<std::uint64_t>(input.entry_base(0), 1);
}

SessionTable::SessionTable(const SourceSettings& settings, RestoredSource restored, Instant now)
    : settings_(settings), zone_(settings.time_zone), source_(restored.source), marks_(restored) {
  if (!source_.line && source_.listed_to && source_.floor) {
    source_.before = done_before(source_, marks_, now);
    source_.line = *source_.floor;
    source_.contact_over = true;
  }
  source_.floor.reset();
  for (auto& [key, state] : restored.sessions) {
    Session& session = sessions_[add(std::move(state))];
    if (session.state.final_since != SessionState::kNotYet)
      session.life.restore(Watched{std::int64_t{session.state.final_since}},
                           static_cast<std::uint32_t>(session.state.digest));
    session.life.restore({session.state.lacking_reads, Watched{std::int64_t{session.state.lacking_since}}});
  }
}

SessionTable::TakenIn SessionTable::take_in(const ListedSession& listed, const Showing& how,
                                            std::vector<StateRecord>& records) {
  bool other_start = false;
  const auto as = find(listed, other_start, records);
  if (!as) return take_in_unknown(listed, generation_of(listed.id, 0), how, records);
  if (other_start && is_restless(listed.id, how.ours)) {
    if (as->slot) sessions_[*as->slot].shown_by = how.inquiry;
    return {.as = TakenIn::As::kIgnored, .is_put_off = true};
  }
  if (as->mark) return take_in_marked(listed, *as, other_start, how, records);

  Session& session = sessions_[*as->slot];
  session.shown_by = how.inquiry;
  // Of one that waits to begin the start is a plan.
  const bool is_planned = settings_.dialect->session_is_queued(session.state.info.view().status);
  if (!other_start || is_planned || nothing_is_known_of(session.state)) {
    if (session.is_disputed()) session.trouble->dispute.reset();
    return take_in_open(*as->slot, listed, how, records);
  }
  ReadTrouble& trouble = session.in_trouble();
  const bool was_disputed = session.is_disputed();
  if (!was_disputed) trouble.asked_before_dispute = session.in_flight;
  trouble.dispute = std::make_unique<ListedSession>(listed);
  return {was_disputed ? TakenIn::As::kKnown : TakenIn::As::kDisputed, *as->slot};
}

SessionTable::TakenIn SessionTable::take_in_unknown(const ListedSession& listed, const Named& as, const Showing& how,
                                                    std::vector<StateRecord>& records) {
  const bool final = settings_.dialect->session_is_final(listed.status);
  const std::optional<Instant> start = info_of(listed).start;
  if (!is_wanted(settings_, listed) || (final && start && is_behind_the_line(*start, how))) {
    mark_left_alone(listed, as.key, records);
    return {TakenIn::As::kIgnored};
  }
  if (source_.before && final && start && *start < *source_.before) {
    marks_.put(as.key, {.kind = Kind::kBefore, .digest = listed.digest, .made = how.ours, .start = *start}, records);
    return {TakenIn::As::kIgnored};
  }
  return open(listed, as, how, records);
}

// What a window shows did not begin before it, but for zones; a source that takes no windows shows everything.
bool SessionTable::is_behind_the_line(Instant start, const Showing& how) const {
  if (source_.contact_over || !source_.line) return false;
  const auto line =
      how.by_sweep ? source_.line : add_nanoseconds(*source_.line, -std::chrono::nanoseconds(kWidestZones).count());
  return line && start < *line;
}

SessionTable::TakenIn SessionTable::take_in_open(Slot slot, const ListedSession& listed, const Showing& how,
                                                 std::vector<StateRecord>& records) {
  Session& session = sessions_[slot];
  session.shown_by = how.inquiry;
  if (how.by_id && session.is_over()) session.trouble->is_over = false;
  session.stop_hash = listed.stop_hash;
  const SessionInfo info = info_of(listed);
  const bool was_final = session.life.final();
  const bool is_as_it_was = listed.digest == session.state.digest;
  session.life.listed(settings_.dialect->session_is_final(listed.status), listed.beside_start(), listed.shown);
  const std::int64_t final_since =
      session.life.final_since() ? session.life.final_since()->count() : SessionState::kNotYet;
  if (info != session.state.info.view() || !is_as_it_was || final_since != session.state.final_since) {
    forget_texts(session);
    session.state.info = info;
    count_texts(session);
    session.state.digest = listed.digest;
    session.state.final_since = final_since;
    records.push_back({session.state.key, StateRecord::kSessionPart, encode_session(session.state)});
  }
  if (session.life.final() && !was_final) return {TakenIn::As::kFinished, slot};
  return {is_as_it_was ? TakenIn::As::kKnown : TakenIn::As::kChanged, slot};
}

SessionTable::TakenIn SessionTable::take_in_marked(const ListedSession& listed, const Named& as, bool other_start,
                                                   const Showing& how, std::vector<StateRecord>& records) {
  if (other_start) {
    const TimeShift shift = adopt_shifted(listed, as, records);
    if (shift) return {.as = TakenIn::As::kIgnored, .shift = shift};
  }
  DoneMark mark = *as.mark;
  if (!other_start && mark.digest == listed.digest) return {TakenIn::As::kIgnored};
  const bool final = settings_.dialect->session_is_final(listed.status);
  const bool still_left_alone =
      mark.kind == Kind::kLeftAlone &&
      (!is_wanted(settings_, listed) ||
       (final && !other_start && (mark.stop_hash == 0 || mark.stop_hash == listed.stop_hash)));
  if (still_left_alone || (!other_start && mark.digest == listed.old_digest)) {
    mark.digest = listed.digest;
    if (mark.kind == Kind::kLeftAlone) mark.stop_hash = listed.stop_hash;
    marks_.put(as.key, mark, records);
    return {TakenIn::As::kIgnored};
  }
  // It ran again: that is news, wherever the line is.
  if (mark.kind == Kind::kLeftAlone) {
    marks_.forget(as.key);
    return open(listed, {.generation = as.generation, .key = as.key}, how, records);
  }
  if (!other_start) return open(listed, as, how, records);

  const std::optional<Instant> start = info_of(listed).start;
  // It began when all of the other had been delivered: what it is called cannot make it the same.
  if (mark.kind == Kind::kOld && start && *start > mark.latest)
    return take_in_unknown(listed, generation_of(listed.id, as.generation + 1), how, records);
  if (mark.kind != Kind::kDelivered) return open(listed, as, how, records);
  return open_disputed(listed, as, how, records);
}

// What the row says new of a mark may be only that its source writes times in another zone. What was left alone has no
// entries that could show it: there the stop must be shifted like the start.
TimeShift SessionTable::adopt_shifted(const ListedSession& listed, const Named& as, std::vector<StateRecord>& records) {
  DoneMark mark = *as.mark;
  const TimeShift shift = shift_since(mark.digest, listed);
  const std::optional<TimeShift> in_all = sum(mark.shift, shift);
  if (!shift || !in_all) return {};
  const ListedSession before = before_shift(listed, shift);
  const bool is_left_alone = mark.kind == Kind::kLeftAlone;
  const bool final = settings_.dialect->session_is_final(listed.status);
  const bool is_it = is_left_alone ? final && listed.stop && mark.stop_hash == before.stop_hash
                                   : mark.digest == before.digest && std::ranges::count(believed_, shift) > 0;
  if (!is_it) return {};
  mark.digest = listed.digest;
  if (is_left_alone) {
    mark.stop_hash = listed.stop_hash;
    mark.start = info_of(listed).start.value_or(kNever);
  } else {
    mark.shift = *in_all;
  }
  marks_.put(as.key, mark, records);
  return shift;
}

// It keeps its digest, and so the start that it had: after a restart it is disputed again.
SessionTable::TakenIn SessionTable::open_disputed(const ListedSession& listed, const Named& as, const Showing& how,
                                                  std::vector<StateRecord>& records) {
  ListedSession as_it_was = listed;
  as_it_was.digest = as.mark->digest;
  const TakenIn taken = open(as_it_was, as, how, records);
  ReadTrouble& trouble = sessions_[taken.slot].in_trouble();
  trouble.dispute = std::make_unique<ListedSession>(listed);
  trouble.was_done = true;
  return taken;
}

// A session that is not known, or the one that `as.mark` speaks of.
SessionTable::TakenIn SessionTable::open(const ListedSession& listed, const Named& as, const Showing& how,
                                         std::vector<StateRecord>& records) {
  SessionState state;
  state.key = as.key;
  state.digest = listed.digest;
  const SessionInfo info = info_of(listed);
  state.info = info;
  state.news_at = how.watched.count();
  if (how.late) state.late_since = how.watched.count();
  if (as.mark) marks_.take(*as.mark, state);
  const Slot slot = add(std::move(state));
  Session& session = sessions_[slot];
  session.shown_by = how.inquiry;
  session.stop_hash = listed.stop_hash;
  session.life.listed(settings_.dialect->session_is_final(listed.status), listed.beside_start(), listed.shown);
  if (ended_long_ago(how, info.stop, settings_.poll.settle)) session.life.ended_long_ago();
  if (const auto since = session.life.final_since()) session.state.final_since = since->count();
  append_opened(session.state, records);
  return {TakenIn::As::kNew, slot, as.mark.has_value()};
}

std::optional<SessionState> SessionTable::as_delivered(std::uint64_t key, std::string_view id) const {
  const std::optional<DoneMark> mark = slots_.contains(key) ? std::nullopt : marks_.find(key);
  if (!mark || mark->kind != Kind::kDelivered) return std::nullopt;
  SessionState state;
  state.key = key;
  state.digest = mark->digest;
  state.info = SessionInfo{.id = id};
  marks_.look(*mark, state);
  return state;
}

SessionTable::TakenIn SessionTable::open_again(const ListedSession& listed, const Showing& how,
                                               std::vector<StateRecord>& records) {
  bool other_start = false;
  const auto as = find(listed, other_start, records);
  if (as && as->mark && !other_start && as->mark->kind == Kind::kDelivered) return open(listed, *as, how, records);
  return take_in(listed, how, records);
}

SessionTable::TakenIn SessionTable::is_same(Slot slot, const Showing& how, std::vector<StateRecord>& records) {
  ReadTrouble& trouble = *sessions_[slot].trouble;
  const std::unique_ptr<ListedSession> row = std::exchange(trouble.dispute, nullptr);
  return take_in_open(slot, *row, how, records);
}

void SessionTable::believe(TimeShift shift) {
  if (std::ranges::find(believed_, shift) == believed_.end()) believed_.push_back(shift);
}

SessionTable::TakenIn SessionTable::is_another(Slot slot, End end, const Showing& how,
                                               std::vector<StateRecord>& records) {
  const std::unique_ptr<ListedSession> row = std::exchange(sessions_[slot].trouble->dispute, nullptr);
  std::uint32_t next = 1;
  while (session_key(settings_.id, row->id, next - 1) != sessions_[slot].state.key) ++next;
  finish(slot, end, how.ours, records);
  return take_in_unknown(*row, generation_of(row->id, next), how, records);
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

void SessionTable::finish(Slot slot, End end, Instant now, std::vector<StateRecord>& records) {
  SessionState& state = sessions_[slot].state;
  if (end == End::kGivenUp) state.digest = digest_of_given_up(state.digest);
  marks_.put_end(state, now, records);
  free(slot);
}

void SessionTable::mark_left_alone(const ListedSession& listed, std::uint64_t key, std::vector<StateRecord>& records) {
  ++left_alone_;
  marks_.put(key,
             {.kind = Kind::kLeftAlone,
              .digest = listed.digest,
              .start = info_of(listed).start.value_or(kNever),
              .stop_hash = listed.stop_hash},
             records);
}

void SessionTable::leave_alone(Slot slot, Instant now, std::vector<StateRecord>& records) {
  const SessionState& state = sessions_[slot].state;
  if (!nothing_is_known_of(state)) return finish(slot, End::kRead, now, records);
  const DoneMark mark{.kind = Kind::kLeftAlone,
                      .digest = state.digest,
                      .start = state.info.view().start.value_or(kNever),
                      .stop_hash = sessions_[slot].stop_hash};
  const std::uint64_t key = state.key;
  append_removal(key, state.history.size(), records);
  free(slot);
  marks_.put(key, mark, records);
}

void SessionTable::free(Slot slot) {
  Session& session = sessions_[slot];
  --phases_[static_cast<std::size_t>(session.state.phase)];
  forget_texts(session);
  slots_.erase(session.state.key);
  session = Session();
  free_.push_back(slot);
}

void SessionTable::note_lacking(Slot slot, std::vector<StateRecord>& records) {
  Session& session = sessions_[slot];
  const SessionLife::Lacking lacking = session.life.lacking();
  if (lacking.reads == session.state.lacking_reads) return;
  session.state.lacking_reads = lacking.reads;
  session.state.lacking_since = lacking.reads == 0 ? SessionState::kNotYet : lacking.since.count();
  records.push_back({session.state.key, StateRecord::kSessionPart, encode_session(session.state)});
}

void SessionTable::enter(Slot slot, Phase phase, std::vector<StateRecord>& records) {
  Session& session = sessions_[slot];
  if (session.state.phase == phase) return;
  --phases_[static_cast<std::size_t>(session.state.phase)];
  forget_texts(session);
  session.state.phase = phase;
  ++phases_[static_cast<std::size_t>(phase)];
  count_texts(session);
  records.push_back({session.state.key, StateRecord::kSessionPart, encode_session(session.state)});
}

void SessionTable::count_texts(const Session& session) {
  if (session.state.phase == Phase::kWaiting) waiting_texts_ += session.state.info.fields().size();
}

void SessionTable::forget_texts(const Session& session) {
  if (session.state.phase == Phase::kWaiting) waiting_texts_ -= session.state.info.fields().size();
}

void SessionTable::begin_sweep() {
  marks_.begin_sweep();
  left_alone_ = 0;
}

std::size_t SessionTable::end_sweep(Watched now, Absence absence, std::vector<StateRecord>& records) {
  const std::optional<Watched> third_last = source_.sweeps[1];
  source_.sweeps = {source_.sweeps[1], source_.sweeps[2], now};
  source_.before.reset();
  source_.reading = reading_of(settings_);
  return marks_.end_sweep(now, third_last, absence, settings_.poll.retention, records);
}

std::size_t SessionTable::forget_left_alone(Instant since, bool again, std::vector<StateRecord>& records) {
  const std::size_t forgotten = marks_.forget_left_alone(since, again, records);
  if (source_.line) source_.line = std::min(*source_.line, since);
  if (again && source_.before) source_.before = std::min(*source_.before, since);
  // The sweep that brings them is wanted after a restart, too.
  source_.sweeps = {};
  source_.sweep_place.reset();
  records.push_back({0, StateRecord::kSourcePart, encode_source(source_)});
  return forgotten;
}

std::vector<std::string> SessionTable::open_but_not_in(std::uint32_t inquiry) const {
  std::vector<std::string> missing;
  for (const auto& [key, slot] : slots_) {
    const Session& session = sessions_[slot];
    const bool asked_for = !session.life.final() || session.is_strange() || session.is_disputed();
    if (asked_for && session.shown_by < inquiry) missing.emplace_back(session.state.info.id());
  }
  return missing;
}

RestoredSource SessionTable::release() {
  RestoredSource all;
  all.source = source_;
  for (const auto& [key, slot] : slots_) all.sessions.emplace(key, std::move(sessions_[slot].state));
  marks_.release(all);
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
  count_texts(sessions_[slot]);
  return slot;
}

}  // namespace sessionlogd
