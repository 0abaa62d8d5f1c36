#include "core/polling/source_verifier.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

using std::chrono::milliseconds;

// What is due is looked at so often while that is waited for.
constexpr milliseconds kLooksForIdle{1'000};
constexpr std::chrono::minutes kTriesAgain{1};
constexpr std::chrono::hours kListsAgain{1};
constexpr int kTries = 3;  // of a session, or of a page
// Of the interval: what a round is not spread over may pass without a word.
constexpr int kShareWorthSaying = 10;

}  // namespace

SourceVerifier::SourceVerifier(const Parts& parts)
    : parts_(parts),
      discovery_(parts_.api, parts_.settings, [this] { return parts_.finder.watched_now(); }),
      round_(parts_.table.source().verify, parts_.interval, parts_.settings.poll.rate_per_second),
      wake_(parts_.io) {}

void SourceVerifier::stop() {
  stopping_ = true;
  wake_.notify();
}

Task<void> SourceVerifier::run() {
  if (parts_.interval.count() == 0) co_return;
  while (!stopping_) {
    const Watched now = parts_.finder.watched_now();
    if (!round_.goes_on() && now < round_.next_begins()) {
      // Not at one go: the first response adds the time in which nobody ran.
      const SteadyTime soon = SteadyClock::now() + kListsAgain;
      co_await wake_.wait_until(std::min(soon, parts_.finder.watched_when(round_.next_begins())));
      continue;
    }
    if (!round_.goes_on()) {
      // What is done while this waits belongs to the round, too.
      begins_by_ = SteadyClock::now() + parts_.interval;
      waited_ = {};
      was_listed_ = false;
      last_error_.clear();
      const bool may_begin = co_await turn(Of::kPage);
      if (stopping_) break;
      const Watched begun = parts_.finder.watched_now();
      round_.begin(begun, parts_.table.delivered_since(back(system_now(), round_.span())));
      if (!may_begin) {
        end_round();
        continue;
      }
      waited_ = {};
    }
    co_await go_round();
  }
}

Task<void> SourceVerifier::go_round() {
  do {
    if (!goes_on()) break;
    round_.begin_walk();
    if (!co_await list()) {
      co_await pause(kListsAgain);
      continue;
    }
    round_.end_walk();
    was_listed_ = true;
    while (goes_on()) {
      auto next = round_.next();
      if (!next) break;
      Candidate one{next->first, std::move(next->second)};
      co_await verify(std::move(one), 1);
    }
    if (!round_.left_some_out()) break;
  } while (goes_on());
  for (int tries = 2; tries <= kTries && !round_.put_off().empty() && goes_on(); ++tries) {
    co_await pause(kTriesAgain);
    const std::map<std::uint64_t, std::string> again = round_.put_off();
    for (const auto& [key, id] : again) {
      if (!goes_on()) break;
      Candidate one{key, id};
      co_await verify(std::move(one), tries);
    }
  }
  if (!stopping_) end_round();
}

bool SourceVerifier::goes_on() { return !stopping_ && !round_.time_is_up(parts_.finder.watched_now()); }

void SourceVerifier::end_round() {
  const VerifyTally tally = round_.end(system_now());
  const auto hours = std::chrono::ceil<std::chrono::hours>(round_.span()).count();
  if (tally.late > 0) {
    log_warn({.source = parts_.settings.name},
             "{} entries of sessions of the last {} h were found by verify only, and were delivered late", tally.late,
             hours);
  }
  const std::uint64_t dealt_with = tally.sessions + tally.could_not;
  if (dealt_with < tally.of) {
    log_warn({.source = parts_.settings.name},
             "{} of the {} sessions of the last {} h were verified, {} could not be, the rest was not reached: {}",
             tally.sessions, tally.of, hours, tally.could_not, why_not_all());
  } else {
    log_debug({.source = parts_.settings.name}, "{} sessions were verified, {} could not be", tally.sessions,
              tally.could_not);
  }
  parts_.finder.commit_source();
}

std::string SourceVerifier::why_not_all() const {
  std::string why = waited_ >= parts_.interval / kShareWorthSaying ? std::string(waited_for_)
                    : was_listed_                                  ? "within a tenth of `rate`, while nothing was due"
                                                                   : "they could not be listed";
  if (!last_error_.empty()) why += "; the last error was: " + last_error_;
  return why;
}

// ---- Which sessions there are

// All of the last day are offered; false: not all pages could be had, or we are stopping.
Task<bool> SourceVerifier::list() {
  if (!parts_.settings.sessions.empty()) co_return co_await list_named();
  const Watched now = parts_.finder.watched_now();
  const Instant since = round_.since(now, system_now());
  const Instant theirs = round_.since(now, std::min(system_now(), parts_.api.now()));
  // Listings have windows of start times: of one that ran for longer nothing is seen.
  ListingWalk walk = discovery_.walk({back(theirs, parts_.settings.poll.max_session_age), std::nullopt});
  int failures = 0;
  while (!walk.ended()) {
    if (!co_await turn(Of::kPage)) co_return false;
    const Result<SessionPage> page =
        co_await discovery_.next_page(walk, Discovery::Of::kWindow, VerifyRound::kShareOfRate);
    if (page.has_error()) last_error_ = page.error().detail;
    if (stopping_ || (page.has_error() && ++failures == kTries)) co_return false;
    if (page.has_error()) {
      co_await pause(kTriesAgain);
      continue;
    }
    failures = 0;
    for (const ListedSession& row : page->sessions) offer(row, since);
  }
  co_return true;
}

Task<bool> SourceVerifier::list_named() {
  const Instant since = round_.since(parts_.finder.watched_now(), system_now());
  for (std::string id : parts_.settings.sessions) {
    if (!co_await turn(Of::kPage)) co_return false;
    const Result<ListedSession> row = co_await discovery_.ask(std::move(id));
    if (row.has_value()) offer(*row, since);
  }
  co_return !stopping_;
}

void SourceVerifier::offer(const ListedSession& row, Instant since) {
  if (const auto key = parts_.table.delivered_since(row, since)) round_.offer(*key, row.id);
}

// ---- One session

// One that fails is put off, so that no other waits for it.
Task<void> SourceVerifier::verify(Candidate one, int tries) {
  const bool is_last_try = tries == kTries;
  if (!co_await turn(tries == 1 ? Of::kSession : Of::kPage)) co_return;
  std::size_t missing = 0;
  parts_.sessions.verify_begins_read();
  Tried tried = co_await read(one, is_last_try, missing);
  parts_.sessions.verify_ends_read();
  if (tried == Tried::kLacks) tried = co_await open_again(one, is_last_try, missing);
  if (tried == Tried::kAgain) round_.put_off(one.key);
}

Task<SourceVerifier::Tried> SourceVerifier::read(const Candidate& one, bool is_last_try, std::size_t& missing) {
  std::string target = path_of_session(parts_.settings.dialect->log.path, one.id);
  const Result<HttpResponse> response = co_await parts_.api.get(std::move(target));
  if (stopping_) co_return Tried::kCancelled;
  if (response.has_value()) co_return compare(one, response->body, is_last_try, missing);
  last_error_ = response.error().detail;
  const bool passes = response.error().kind != ErrorKind::kRefused;
  co_return passes && !is_last_try ? Tried::kAgain : could_not(one, response.error().detail);
}

SourceVerifier::Tried SourceVerifier::compare(const Candidate& one, const Body& body, bool is_last_try,
                                              std::size_t& missing) {
  const std::optional<SessionState> known = parts_.table.as_delivered(one.key, one.id);
  if (!known) {  // it was opened again meanwhile, and is read anyway
    round_.was_compared(one.key, 0);
    return Tried::kDealtWith;
  }
  const Result<Comparison> compared = parts_.reader.compare(parts_.format, *known, body);
  if (compared.has_error()) return is_last_try ? could_not(one, compared.error().detail) : Tried::kAgain;
  parts_.sessions.verify_has_read(one.key);
  missing = compared->missing;
  if (missing > 0) return Tried::kLacks;
  if (!compared->unknown.empty())
    return is_last_try || compared->differs ? could_not(one, compared->unknown) : Tried::kAgain;
  if (compared->shrunk) parts_.health.holds_less(one.id);
  round_.was_compared(one.key, 0);
  return Tried::kDealtWith;
}

Task<SourceVerifier::Tried> SourceVerifier::open_again(const Candidate& one, bool is_last_try, std::size_t missing) {
  if (!co_await turn(Of::kPage)) co_return Tried::kCancelled;
  std::string id = one.id;
  const Result<ListedSession> row = co_await discovery_.ask(std::move(id));
  if (stopping_) co_return Tried::kCancelled;
  if (row.has_error()) last_error_ = row.error().detail;
  if (row.has_error()) co_return is_last_try ? could_not(one, row.error().detail) : Tried::kAgain;
  const bool is_first = parts_.table.source().verify.tally.late == 0;
  const bool is_opened = parts_.sessions.lacks(*row, missing);
  round_.was_compared(one.key, is_opened ? missing : 0);
  // Directly behind the batch that opens it, so that it is not counted again.
  parts_.finder.commit_source();
  if (is_opened && is_first) {
    log_warn({.source = parts_.settings.name, .session = one.id},
             "log holds {} entries that were not there when it was read last, though its row is the same; they are "
             "delivered now; of others that verify finds in this round only the number will be said",
             missing);
  }
  co_return Tried::kDealtWith;
}

SourceVerifier::Tried SourceVerifier::could_not(const Candidate& one, std::string_view why) {
  parts_.health.not_verified(one.id, why);
  round_.could_not(one.key);
  return Tried::kDealtWith;
}

// ---- When

// Returns when a request may be sent: its turn has come and nothing is due. false: the round is over, or we are
// stopping.
Task<bool> SourceVerifier::turn(Of of) {
  while (!stopping_) {
    const Watched watched = parts_.finder.watched_now();
    const SteadyTime now = SteadyClock::now();
    if (round_.goes_on() ? round_.time_is_up(watched) : now >= begins_by_) co_return false;
    const milliseconds gap = of == Of::kPage ? round_.least_gap() : round_.gap(watched);
    const SteadyTime next = asked_at_ == SteadyTime::min() ? now : asked_at_ + gap;
    if (now < next) {
      co_await wake_.wait_until(std::min<SteadyTime>(next, now + kListsAgain));
    } else if (const std::string_view busy = parts_.sessions.busy_with(); !busy.empty()) {
      waited_for_ = busy;
      co_await wake_.wait_until(now + kLooksForIdle);
      waited_ += SteadyClock::now() - now;
    } else {
      asked_at_ = now;
      co_return true;
    }
  }
  co_return false;
}

Task<void> SourceVerifier::pause(milliseconds span) {
  const SteadyTime until = SteadyClock::now() + span;
  while (goes_on() && SteadyClock::now() < until)
    co_await wake_.wait_until(std::min(until, parts_.finder.watched_when(round_.next_begins())));
}

}  // namespace sessionlogd
