// What a response, or that there is none, says of a session: what is new in its log, whose log it is, and what is lost.
#include <algorithm>
#include <utility>

#include "core/base/body_hash.h"
#include "core/base/json_text.h"
#include "core/base/log_line.h"
#include "core/polling/source_poller.h"
#include "core/state/identity.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kLookInQuarantine = "what came instead is in quarantine/ in the state directory";
constexpr std::string_view kGivenAway = "its id was given to another session";
constexpr std::size_t kMostLeftUnreadSaid = 10;

Doubt doubt_of(const Session& session) {
  return {.disputed = session.is_disputed(),
          .asked_before_dispute = session.trouble && session.trouble->asked_before_dispute,
          .vouched_for = session.trouble && session.trouble->vouched_for};
}

}  // namespace

SourcePoller::Polled SourcePoller::finish_poll(Schedule::Slot slot, const HttpResponse& response, Watched sent) {
  Session& session = table_.at(slot);
  const std::uint64_t hash = hash_body(response.body.text());
  const bool last = session.life.is_last(sent, settings_.poll.settle) && !session.is_disputed();
  if (hash == session.body_hash && !last && !session.is_disputed()) {
    counters_.add(Counted::kPollsUnchanged);
    counters_.add(Counted::kEntries, session.entries);
    read_was(slot, sent, News::kUnchanged, session.fill);
    return Polled::kAll;
  }
  const TimeShift shift = take_shift(session, response.body);
  const Doubt doubt = doubt_of(session);
  const bool was_known = session.state.history.size() > 0;
  const Result<ReadOutcome> read =
      services_.reader.read(format_, session.state, response.body, last, strange_of(doubt));
  const bool broken = read.has_error() ? read.error().kind == ErrorKind::kBadResponse : !read->fault.empty();
  const bool is_no_log = read.has_error() && read.error().worth_keeping;
  const bool is_kept = broken && (is_no_log || !is_json(response.body.text())) &&
                       count_not_json(session.state.info.id(), "its log", response.body.text());
  const auto fail = [&](Error error) {
    if (is_kept) error.remedy = kLookInQuarantine;
    poll_failed(slot, error);
    return Polled::kAll;
  };
  if (read.has_error()) return fail(read.error());

  switch (settle_owner(slot, *read, shift)) {
    case Owner::kAnother:
      return Polled::kAll;
    case Owner::kUnknown:
      return Polled::kStrange;
    case Owner::kSession:
    case Owner::kCorrectedSession:
      break;
  }
  count_events(*read);
  note_entries(session);
  if (read->events() > 0) session.state.news_at = sent.count();
  count_not_utf8(slot, read->not_utf8);
  if (read->more) return Polled::kMoreToCome;
  if (doubt.vouched_for && was_known && read->recognised == 0 && read->events() > 0) {
    log_info({.source = settings_.name, .session = session.state.info.id()},
             "has another log than before under the same start: it was cleared or rolled over");
  }
  counters_.add(Counted::kEntries, read->entries);
  counters_.add(read->events_new + read->events_error > 0 ? Counted::kPollsNew
                : read->events_changed > 0                ? Counted::kPollsChanged
                                                          : Counted::kPollsUnchanged);
  if (!read->fault.empty()) return fail({ErrorKind::kBadResponse, read->fault});
  health_.more_elsewhere(session.state.info.id(), read->more_elsewhere);
  session.body_hash = hash;
  session.holds_back = read->held_back > 0;
  session.entries = static_cast<std::uint32_t>(read->entries);
  session.fill = !read->more_elsewhere.empty()        ? LogFill::kPart
                 : read->entries == 0 || read->shrunk ? LogFill::kLacking
                                                      : LogFill::kUsual;
  read_was(slot, sent, read->events() > 0 ? News::kChanged : News::kUnchanged, session.fill);
  return Polled::kAll;
}

// Whether a row that names another start only shows that its source writes times in another zone now: the entries tell.
TimeShift SourcePoller::take_shift(Session& session, const Body& body) {
  if (!session.is_disputed()) return {};
  const TimeShift shift = shift_since(session.state.digest, *session.trouble->dispute);
  const std::optional<TimeShift> in_all = sum(session.state.shift, shift);
  if (!shift || !in_all || !services_.reader.is_shifted(format_, session.state, body, *in_all)) return {};
  session.state.shift = *in_all;
  session.trouble->asked_before_dispute = false;  // the log was shifted already
  return shift;
}

Owner SourcePoller::settle_owner(Schedule::Slot slot, const ReadOutcome& read, TimeShift shift) {
  Session& session = table_.at(slot);
  const Owner owner = owner_of(doubt_of(session), read);
  if (session.is_disputed()) session.trouble->asked_before_dispute = false;
  if (owner == Owner::kUnknown) read_was_strange(slot);
  if (owner == Owner::kAnother) part(slot);
  if (owner == Owner::kCorrectedSession) is_same(slot, shift);
  return owner;
}

void SourcePoller::is_same(Schedule::Slot slot, TimeShift shift) {
  const std::string_view id = table_.at(slot).state.info.id();
  std::vector<StateRecord> records;
  const Showing how = finder_.showing();
  if (shift) {
    say_shift(id, shift);
    table_.believe(shift);
  } else {
    log_info({.source = settings_.name, .session = id}, "start was corrected");
  }
  table_.is_same(slot, how, records);
  push(std::move(records));
}

// All sessions of a source are shifted, by one span or, in winter and in summer, by two.
void SourcePoller::say_shift(std::string_view session, TimeShift shift) {
  if (std::ranges::find(said_shifts_, shift) != said_shifts_.end()) return;
  said_shifts_.push_back(shift);
  const auto minutes = shift.span().count();
  log_warn({.source = settings_.name, .session = session},
           "writes its times {} minutes {} than before; sessions and entries are known by what they were, and none is "
           "delivered again; look whether time_zone is still right",
           std::abs(minutes), minutes > 0 ? "later" : "earlier");
}

// The id names another session: what is not read of the one before never will be.
SessionTable::End SourcePoller::end_as_given_away(Schedule::Slot slot) {
  const Session& session = table_.at(slot);
  schedule_.cancel(slot);
  const bool lacks = lacks_something({.was_done = session.trouble && session.trouble->was_done,
                                      .is_unread = session.state.phase == Phase::kWaiting,
                                      .was_settling = session.life.final() && session.state.phase == Phase::kSettling,
                                      .held_back = session.holds_back || (format_.only_final && !session.read)});
  if (lacks) {
    say_gap(slot, kGivenAway);
  } else {
    log_info({.source = settings_.name, .session = session.state.info.id()}, "ends here: {}", kGivenAway);
  }
  reads_.gone(session.state.key);
  return lacks ? SessionTable::End::kGivenUp : SessionTable::End::kRead;
}

// To one that its row names for the first time.
void SourcePoller::part(Schedule::Slot slot) {
  const SessionTable::End end = end_as_given_away(slot);
  std::vector<StateRecord> records;
  const Showing how = finder_.showing();
  const SessionTable::TakenIn taken = table_.is_another(slot, end, how, records);
  push(std::move(records));
  if (taken.as == SessionTable::TakenIn::As::kNew) schedule_first(taken.slot);
}

// To one that is known: the source said so when it was asked for the id. A slot is kept while a response is on its way.
void SourcePoller::end_others_of(const ListedSession& row) {
  for (const Schedule::Slot slot : table_.others_of(row)) {
    Session& session = table_.at(slot);
    if (session.in_flight) {
      session.in_trouble().is_over = true;
    } else {
      give_away(slot);
    }
  }
}

void SourcePoller::give_away(Schedule::Slot slot) {
  const SessionTable::End end = end_as_given_away(slot);
  std::vector<StateRecord> records;
  table_.finish(slot, end, system_now(), records);
  push(std::move(records));
}

void SourcePoller::note_entries(Session& session) {
  pace_.came(session.pace, session.state.info.view().type, SteadyClock::now(), services_.reader.ages(api_.now()));
}

void SourcePoller::count_events(const ReadOutcome& read) {
  if (read.events() == 0) return;
  counters_.add(Counted::kEventsNew, read.events_new);
  counters_.add(Counted::kEventsChanged, read.events_changed);
  counters_.add(Counted::kEventsError, read.events_error);
  counters_.add(Counted::kEventsGap, read.events_gap);
  uncommitted_.pushed(services_.queue.pushed(), services_.queue.committed(), SteadyClock::now());
}

bool SourcePoller::count_not_json(std::string_view session, std::string_view expected, std::string_view body) {
  counters_.add(Counted::kNotJson);
  if (services_.quarantine == nullptr) return false;
  return services_.quarantine->keep({settings_.name, session, expected}, body,
                                    [this](std::string_view kept) { return api_.echoes_secret(kept); });
}

void SourcePoller::count_not_utf8(Schedule::Slot slot, std::size_t events) {
  if (events == 0) return;
  counters_.add(Counted::kNotUtf8, events);
  health_.not_utf8(table_.at(slot).state.info.id());
}

// They may be another session's, to which its id was given. The source is asked at once; if it does not say, the next
// listing does.
void SourcePoller::read_was_strange(Schedule::Slot slot) {
  Session& session = table_.at(slot);
  counters_.add(Counted::kPollsFailed);
  if (!session.is_strange()) {
    log_debug({.source = settings_.name, .session = session.state.info.id()},
              "has a log that seems to be of another session; the source is asked "
              "whether its id was given to another session");
  }
  session.in_trouble().strange_since = finder_.inquiries();
  Error error(ErrorKind::kTryLater, "its log seems to be another session's");
  error.remedy = "look on the appliance whether its id was given away; it is read once a listing shows whose it is";
  reads_.failed(session.state.key, error, SteadyClock::now());
  judge_reads();
  schedule(slot, settings_.poll.discovery_interval, PollOrder::Urgency::kQuiet);
}

// In one pass no other listing comes. The one that was read vouches for what it showed and did not dispute.
void SourcePoller::vouch_for(Schedule::Slot slot) {
  Session& session = table_.at(slot);
  if (!session.is_strange() || session.is_disputed()) return;
  if (finding_ && !finder_.listed_at()) return;
  if (session.shown_by == 0 || table_.has_others(slot)) {
    schedule_.cancel(slot);
    return say_left_unread(session.state.info.id(), {ErrorKind::kTryLater, "no row says whose its log is"});
  }
  session.in_trouble().vouch();
  schedule(slot, std::chrono::milliseconds{0}, PollOrder::Urgency::kExpected);
}

// The end of the pass counts them.
void SourcePoller::say_left_unread(std::string_view session, const Error& error) {
  if (++left_unread_ <= kMostLeftUnreadSaid) {
    log_error({.source = settings_.name, .session = session}, "could not be read: {}", error.detail);
  } else if (left_unread_ == kMostLeftUnreadSaid + 1) {
    log_error({.source = settings_.name}, "has more sessions that could not be read: they are only counted");
  }
}

void SourcePoller::poll_failed(Schedule::Slot slot, const Error& error) {
  Session& session = table_.at(slot);
  counters_.add(Counted::kPollsFailed);
  ReadTrouble& trouble = session.in_trouble();
  const auto wait = trouble.backoff.failed(services_.random());
  if (trouble.backoff.failures() == 1) {
    log_debug({.source = settings_.name, .session = session.state.info.id()}, "poll failed: {}", error.detail);
  }
  const FailedRead failed{.error = error,
                          .final = session.life.final(),
                          .source_lists = health_.lists(),
                          .is_listed = session.shown_by >= finder_.last_listing(),
                          .failures_in_a_row = trouble.backoff.failures()};
  reads_.failed(session.state.key, error, SteadyClock::now(), about(failed));
  if (is_left_unread(failed, mode_)) {
    say_left_unread(session.state.info.id(), error);
    return judge_reads();
  }
  judge_reads();
  if (!may_be_for_good(failed)) {
    trouble.lost.cleared();
  } else {
    trouble.lost.failed(SteadyClock::now());
    if (trouble.lost.given_up(error.http_status == 404 ? finder_.listed_at() : read_at_))
      return give_up(slot, failed.is_listed ? SessionTable::End::kRead : SessionTable::End::kGivenUp, error.detail);
  }
  schedule(slot, wait, PollOrder::Urgency::kQuiet);
}

// What was not read of it never will be, unless it is shown again: that is said in the output, where it is missing. A
// session that was only ever queued had nothing to read. One that was shown again and could not be read since is done:
// nothing else is missing than what was said, and it would come back with each sweep.
void SourcePoller::give_up(Schedule::Slot slot, SessionTable::End end, std::string_view why) {
  const Session& session = table_.at(slot);
  const SessionState& state = session.state;
  const bool was_said = state.phase == Phase::kWaiting && state.history.knows(gap_key(GapKind::kGivenUp, 0, state.key));
  const bool was_only_queued =
      session.read && state.history.size() == 0 && settings_.dialect->session_is_queued(state.info.view().status);
  if (was_said || was_only_queued) {
    log_info({.source = settings_.name, .session = state.info.id()}, "ends unread, {}: {}",
             was_said ? "as before" : "it was only queued", why);
  } else {
    say_gap(slot, why);
  }
  finish(slot, was_said ? SessionTable::End::kRead : end);
}

void SourcePoller::say_gap(Schedule::Slot slot, std::string_view why) {
  Session& session = table_.at(slot);
  log_error({.source = settings_.name, .session = session.state.info.id()},
            "could not be read to its end and is given up: {}", why);
  services_.reader.gap(format_, session.state, GapKind::kGivenUp, why);
  counters_.add(Counted::kEventsGap);
  uncommitted_.pushed(services_.queue.pushed(), services_.queue.committed(), SteadyClock::now());
}

}  // namespace sessionlogd
