#include "core/polling/source_health.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/api/refusal.h"
#include "core/base/log_line.h"
#include "core/base/printable.h"

namespace sessionlogd {
namespace {

// Failures that pass are not worth a line before there are so many in a row.
constexpr unsigned kFailuresWorthSaying = 3;
constexpr unsigned kShortIsOdd = 3;
constexpr std::chrono::hours kStartsHold{1};  // what was put off is taken up then

// A shorter one is a pause, not news.
constexpr std::chrono::seconds kWaitWorthSaying{60};

// What a source says that does not know the request.
bool is_unknown_there(int http_status) {
  return http_status == 400 || http_status == 404 || http_status == 406 || http_status == 501;
}

std::string_view remedy_for(const Error& why) {
  if (!why.remedy.empty()) return why.remedy;
  switch (why.http_status) {
    case 401:
    case 403:
      return "give the account the right to read session logs";
    case 429:
      return "it is asked more than it allows: lower `rate`";
    case 0:
      break;
    default:
      return "look at the appliance's own log";
  }
  switch (why.kind) {
    case ErrorKind::kTryLater:
      return "is the appliance overloaded, or something between that lets nothing through?";
    case ErrorKind::kBadResponse:
      return "look at the appliance, and at what stands between";
    default:
      return "`sessionlogd check --connect` tries it";
  }
}

std::string span_in_words(std::chrono::seconds span) {
  if (span < std::chrono::minutes{2}) return fmt::format("{} s", span.count());
  return fmt::format("{} minutes", std::chrono::duration_cast<std::chrono::minutes>(span).count());
}

// Cause and remedy, "" = its logs can be read.
std::string words_for(const ReadSuccess::Judgement& logs, std::size_t due, const std::optional<Error>& why,
                      bool waits_for_memory) {
  using Verdict = ReadSuccess::Verdict;
  if (logs.verdict == Verdict::kGivesLogs) return {};
  std::string cause = why ? fmt::format("{}; {}", why->detail, remedy_for(*why)) : "there was no response yet";
  if (waits_for_memory) cause = "a large response waits for memory that others have; raise `memory`";
  switch (logs.verdict) {
    case Verdict::kNoneRead:
      return fmt::format("none of its logs could be read for {}: {}", span_in_words(logs.span), cause);
    case Verdict::kManyFail:
      return fmt::format("{} of {} sessions could not be read for 10 minutes: {}", logs.sessions,
                         std::max(due, logs.sessions), cause);
    default:
      return cause;
  }
}

std::string_view words_for(LoginLimit::Slowed why) {
  switch (why) {
    case LoginLimit::Slowed::kByEarlyDeaths:
      return "the next login is not allowed earlier, since its tokens die early; give this client an account of its "
             "own";
    case LoginLimit::Slowed::kByUnclearRefusals:
      return "its logins are refused, perhaps for the password, and the next is put off so that no account is locked; "
             "`error` in `status` has its words";
    case LoginLimit::Slowed::kNot:
      break;
  }
  return "the next login is not allowed earlier";
}

// `wish`: the response that asked for it.
std::string words_for(WaitingFor what, LoginLimit::Slowed logins, const std::optional<Error>& wish) {
  switch (what) {
    case WaitingFor::kRetryAfter:
      return wish ? fmt::format("it asked to be left alone (Retry-After): {}; {}", wish->detail, remedy_for(*wish))
                  : "it asked to be left alone (Retry-After); it is asked more than it allows? Lower `rate`";
    case WaitingFor::kLogin:
      return std::string(words_for(logins));
    case WaitingFor::kRate:
      return "`rate` allows no more";
    case WaitingFor::kParked:
      return "its credential was refused";
    case WaitingFor::kBreaker:
      break;
  }
  return "it fails whatever it is asked";
}

}  // namespace

void SourceHealth::listed(const Result<void>& how, Tries tries) {
  failed_listings_ = how.has_error() ? failed_listings_ + 1 : 0;
  if (how.has_value()) {
    if (no_listing_.is_not_so(SteadyClock::now()) && said_.ends())
      log_info({.source = settings_.name}, "is listed again");
    return;
  }
  Error error = how.error();
  listing_fault_ = error.detail;
  if (is_unknown_there(error.http_status) && !gives_reason(error)) {
    listing_fault_ += fmt::format(" (wrong api_version? {} is asked for)", settings_.api_version);
    error.remedy = kSetVersion;
  }
  // What is wrong with a connection says by itself what to do.
  const std::string_view remedy = error.http_status != 0 ? remedy_for(error) : error.remedy;
  if (!remedy.empty()) listing_fault_ += fmt::format("; {}", remedy);
  // Who says what to do has nothing to wait for. Logins come once in 30 s: three that fail would take a minute.
  const bool is_login = error.http_status == 0 && !error.remedy.empty();
  const bool is_last = tries == Tries::kEnd;
  const bool passes =
      !is_login && !is_last && (error.kind == ErrorKind::kTryLater || error.kind == ErrorKind::kBadResponse);
  if (passes && failed_listings_ < kFailuresWorthSaying && !said_.is_open()) return;
  // An open breaker was said, with the reason.
  const bool is_news = !api_.breaker_until() && said_.is_news(SteadyClock::now(), error);
  if (said_.is_open()) no_listing_.is_so();
  if (!is_news) return;
  log_warn({.source = settings_.name}, "cannot be listed: {}; {}, nothing is forgotten", listing_fault_,
           is_last ? "the next pass tries it again" : "it is tried again");
}

void SourceHealth::unusable(std::size_t rows) {
  const bool said = std::exchange(unusable_, rows > 0);
  if (rows == 0 || said) return;
  log_warn({.source = settings_.name}, "listed {} sessions without a usable id", rows);
}

void SourceHealth::incomplete(const std::string& why) {
  if (why.empty()) {
    if (no_whole_listing_.is_not_so(SteadyClock::now()))
      log_info({.source = settings_.name}, "listing is complete again");
  } else if (no_whole_listing_.is_so()) {
    log_warn({.source = settings_.name},
             "listing may be incomplete: {}; what it shows is read, and the next one asks from the same time", why);
  }
}

void SourceHealth::swept_before(unsigned faulty) {
  if (faulty >= kFaultySweeps) sweep_fault_ = "its last sweeps showed nothing or were not complete, before this start";
}

void SourceHealth::swept(std::size_t rows, std::size_t marks, std::string_view missing, unsigned faulty) {
  std::string fault;
  if (missing.empty() && rows == 0 && marks > 0) {
    fault = "shows none of the sessions that it had: reinstalled, or the account lost its rights";
  } else if (!missing.empty() && faulty >= kFaultySweeps) {
    fault = fmt::format("its sessions cannot be listed completely: {}", missing);
  }
  // Nothing is dropped without complete sweeps.
  const bool many_marks = !missing.empty() && rows > 0 && marks / 2 > rows;
  if (many_marks && !many_marks_) {
    log_warn({.source = settings_.name},
             "{} done sessions are remembered and {} are shown: none is forgotten while the sessions cannot be listed "
             "completely: {}",
             marks, rows, missing);
  }
  many_marks_ = many_marks;
  if (std::exchange(sweep_fault_, fault) == fault) return;
  if (fault.empty()) {
    log_info({.source = settings_.name}, "shows its sessions again");
  } else {
    log_error({.source = settings_.name}, "{}; nothing is forgotten", fault);
  }
}

void SourceHealth::lacks_named(std::size_t sessions, std::string_view session, const Error& why) {
  std::string fault = fmt::format(
      "{} of the sessions that `sessions` names could never be had, such as {}: {}; is the id right, its case "
      "included?",
      sessions, session, why.detail);
  const bool is_said = !std::exchange(named_fault_, std::move(fault)).empty();
  if (!is_said) log_error({.source = settings_.name}, "{}", named_fault_);
}

void SourceHealth::has_all_named() {
  if (std::exchange(named_fault_, {}).empty()) return;
  log_info({.source = settings_.name}, "has all the sessions that `sessions` names");
}

void SourceHealth::short_of_total(const std::optional<ListingWalk::Short>& lacking) {
  if (!lacking) {
    short_sweeps_ = 0;
    return;
  }
  short_sweeps_ = std::exchange(short_rows_, lacking->rows) == lacking->rows ? short_sweeps_ + 1 : 1;
  if (short_sweeps_ != kShortIsOdd) return;
  log_warn({.source = settings_.name},
           "says that it has {} sessions and showed the same {} in {} sweeps: perhaps the account may not see all of "
           "them",
           lacking->total, lacking->shown, kShortIsOdd);
}

void SourceHealth::other_zone(std::chrono::minutes ahead) {
  const TimeZone& zone = settings_.time_zone;
  std::string remedy = "set its time_zone";
  if (zone.fixed_offset) {
    const std::int64_t offset = (*zone.fixed_offset + ahead).count();
    remedy = fmt::format("set time_zone = \"{}{:02}:{:02}\", or the name of its zone", offset < 0 ? '-' : '+',
                         std::abs(offset) / 60, std::abs(offset) % 60);
  }
  log_warn(
      {.source = settings_.name},
      "three sessions that had just begun say that they began {} minutes {}: its times are of another zone than {}; {}",
      std::abs(ahead.count()), ahead.count() > 0 ? "later" : "earlier", zone.name, remedy);
}

void SourceHealth::starts_change(std::string_view session, SteadyTime now) {
  starts_changed_at_ = now;
  if (!starts_fault_.empty()) return;
  starts_fault_ = fmt::format(
      "the start of session {} changes again and again, and with it whose log its id gives: it is read as another "
      "session eight times an hour at most; look at the appliance's clock, and for what has its address besides",
      printable(session));
  log_error({.source = settings_.name}, "{}", starts_fault_);
}

void SourceHealth::look_at_starts(SteadyTime now) {
  if (starts_fault_.empty() || now - starts_changed_at_ < kStartsHold) return;
  starts_fault_.clear();
  log_info({.source = settings_.name}, "starts of sessions hold again");
}

void SourceHealth::many_are_late(std::size_t sessions) {
  log_warn(
      {.source = settings_.name},
      "shows more than {} sessions that it never showed: wider rights, another appliance, new ids? They wait for an "
      "hour; `sessionlogd backfill {} --none-before TIME` leaves alone what began before",
      sessions - 1, settings_.name);
}

void SourceHealth::more_elsewhere(std::string_view session, const std::string& why) {
  if (why.empty() || std::exchange(more_elsewhere_, true)) return;
  log_error({.source = settings_.name, .session = session},
            "log is not given whole: {}; what is given is delivered, the session stays open; said once for the source",
            why);
}

void SourceHealth::not_verified(std::string_view session, std::string_view why) {
  if (std::exchange(not_verified_, true)) return;
  log_warn({.source = settings_.name, .session = session},
           "log could not be verified: {}; said once for the source, `status` counts them", why);
}

void SourceHealth::holds_less(std::string_view session) {
  if (std::exchange(holds_less_, true)) return;
  log_info({.source = settings_.name, .session = session},
           "log holds less than was delivered of it: it was cleared or rolled over; said once for the source");
}

void SourceHealth::judged(const ReadSuccess::Judgement& logs, std::size_t due, const std::optional<Error>& why) {
  const SteadyTime now = SteadyClock::now();
  logs_fault_ = words_for(logs, due, why, api_.waits_for_memory());
  if (logs_fault_.empty() && no_logs_.is_not_so(now)) log_info({.source = settings_.name}, "gives logs again");
  // What is wrong with the source as a whole was said, and is why; when that has just passed, its logs come soon.
  if (logs_fault_.empty() || api_.breaker_until() || !lists()) {
    no_logs_since_.reset();
    return;
  }
  if (!no_logs_since_) no_logs_since_ = now;
  const bool is_new_to_us = logs.verdict == ReadSuccess::Verdict::kRefuses;
  if (!is_new_to_us && now - *no_logs_since_ < settings_.poll.max_interval) return;
  if (!no_logs_.is_so()) return;
  log_warn({.source = settings_.name}, "gives no logs: {}; nothing is forgotten", logs_fault_);
}

void SourceHealth::waits(std::optional<WaitingFor> what, std::chrono::seconds left) {
  const bool was_said = what == WaitingFor::kBreaker || what == WaitingFor::kParked;  // with the reason
  if (!what || was_said) {
    if (waiting_.is_not_so(SteadyClock::now())) log_info({.source = settings_.name}, "is asked again");
    return;
  }
  if (left < kWaitWorthSaying || !waiting_.is_so()) return;
  log_warn({.source = settings_.name}, "is not asked anything for {} s: {}; nothing is lost, what it has is read then",
           left.count(), words_for(*what, api_.logins_slowed(), api_.wish()));
}

void SourceHealth::not_utf8(std::string_view session) {
  if (std::exchange(not_utf8_, true)) return;
  log_warn({.source = settings_.name, .session = session},
           "holds bytes that are no UTF-8: each is written as U+FFFD; said once for the source");
}

void SourceHealth::first_contact(std::uint64_t sessions, std::uint64_t entries) {
  if (std::exchange(had_contact_, true)) return;
  log_info({.source = settings_.name},
           "first contact: {} {}, api version {}, {} sessions, {} entries, clock offset {} s",
           settings_.dialect->vendor, settings_.dialect->product, settings_.api_version, sessions, entries,
           api_.clock_offset().count());
}

}  // namespace sessionlogd
