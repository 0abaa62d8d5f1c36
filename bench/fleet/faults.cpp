#include "bench/fleet/faults.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>

namespace fleet {

namespace {

using enum Scope;
using enum Part;

// Of the responses' faults in --faults those with 0.003 stop a whole source for a while.
constexpr Misbehaviour kTable[] = {
    {Fault::too_many, "429", response, of_faults, 0.003, "429 with Retry-After in seconds"},
    {Fault::unavailable, "503", response, of_faults, 0.003, "503 with Retry-After as a date"},
    {Fault::error, "500", response, of_faults, 0.008, "500"},
    {Fault::reset, "reset", response, of_faults, 0.008, "the connection is reset in the middle of the body"},
    {Fault::truncate, "truncate", response, of_faults, 0.008, "the connection ends before the promised length"},
    {Fault::slow, "slow", response, of_faults, 0.008, "the whole body, dribbled over a second"},
    {Fault::expire, "expire", response, of_faults, 0.003, "every token of the appliance expires now"},
    {Fault::html, "html", response, of_faults, 0.008, "200 with a page for people"},
    {Fault::cut, "cut", response, of_faults, 0.008, "JSON cut in the middle under a length that fits"},
    {Fault::empty, "empty", response, of_faults, 0.008, "200 without a body"},
    {Fault::hang, "hang", response, of_faults, 0.003, "no response for some seconds, then the connection ends"},
    {Fault::wrong_length, "wrong-length", response, of_all_faults, 0.005, "Content-Length too large or too small"},
    {Fault::bomb, "bomb-gzip", response, of_all_faults, 0.001,
     "80 MiB of zeros in a small body: gzip, deflate, br, zstd"},
    {Fault::uninvited, "bomb-uninvited", response, of_all_faults, 0.001, "the same in a coding that was not asked for"},
    {Fault::huge, "huge", response, of_all_faults, 0.001, "a body without an end"},
    {Fault::other_session, "other-session", response, of_all_faults, 0.005, "the log of another session"},
    {Fault::redirect, "redirect", response, of_all_faults, 0.003, "301, 302, 307 or 308 to the same appliance"},
    {Fault::headers, "headers", response, of_all_faults, 0.003, "a good response behind 5000 header lines"},
    {Fault::http09, "http09", response, of_all_faults, 0.003, "a body without status line and headers"},
    {Fault::loris, "loris", response, of_all_faults, 0.001, "one byte every 200 ms"},
    {Fault::garbage, "garbage", response, of_all_faults, 0.005, "200 with bytes that are no JSON"},
    {Fault::retry_huge, "retry-huge", response, of_none, 0.002,
     "429 with Retry-After of years: stops the source for 1 h"},
    {Fault::retry_negative, "retry-negative", response, of_all_faults, 0.003,
     "429 with a Retry-After that asks for nothing"},
    {Fault::retry_date, "retry-date", response, of_all_faults, 0.003, "429 with Retry-After as a date of an old form"},
    {Fault::echo, "echo", response, of_all_faults, 0.003, "200, 401 or 500 with a page that repeats the request"},
    {Fault::utf8, "utf8", entry, of_all_faults, 0.01, "bytes that are no UTF-8 in the message; owed with U+FFFD each"},
    {Fault::nested, "nested", entry, of_all_faults, 0.0005, "an unknown field nested 100000 deep; owed"},
    {Fault::bigint, "bigint", entry, of_all_faults, 0.01, "an unknown field with an integer beyond 64 bits; owed"},
    {Fault::ticks_without_start, "ticks-without-start", entry, of_all_faults, 0.02,
     "AWS: no executionStartTime, and its logTime moves while it runs"},
    {Fault::large_entry, "large-entry", entry, of_all_faults, 0.00005, "its message is 2 MiB; owed whole"},
    {Fault::clock, "clock", source, of_all_faults, 0.3, "its clock is minutes or hours off, either way"},
    {Fault::version, "version", source, of_all_faults, 0.3, "refuses every version for some seconds"},
    {Fault::down, "down", source, of_all_faults, 0.3, "refuses connections for some seconds"},
    {Fault::login_limit, "login-limit", source, of_all_faults, 0.2, "no refresh; another client voids its tokens"},
    {Fault::page_limit, "page-limit", source, of_all_faults, 0.3, "refuses Limit above 100, or gives 30 rows at most"},
    {Fault::server_errors, "server-errors-everywhere", source, of_all_faults, 0.2,
     "responds with 500, 502, 503 or 504 to everything for some seconds"},
    {Fault::early_expiry, "early-expiry", source, of_all_faults, 0.2,
     "its tokens expire long before their time, and can be refreshed"},
    {Fault::second_client, "second-client", source, of_none, 0.3,
     "another client logs in every few seconds and ends all tokens"},
    {Fault::dead, "dead", source, of_none, 0.3, "never responds, refuses connections, or does not even accept them"},
    {Fault::clock_steps, "clock-steps", source, of_all_faults, 0.2,
     "its clock steps to and fro by seconds, hours, days, years: the Date header, often all times"},
    {Fault::local_times, "local-times", source, of_all_faults, 0.1, "its times are local ones without a zone"},
    {Fault::seven_digits, "seven-digits", source, of_all_faults, 0.2,
     "an entry's times have seven digits first and six later, cut or rounded"},
    {Fault::no_log, "no-log", source, of_all_faults, 0.2,
     "200 with JSON that is nothing of what was asked for, for some seconds"},
    {Fault::blind, "blind", source, of_all_faults, 0.2, "its listings are empty for some seconds"},
    {Fault::shuffled_listings, "shuffled-listings", source, of_all_faults, 0.1,
     "its listings have another order in every response for some seconds, 5 rows a page"},
    {Fault::total_lies, "total-lies", source, of_all_faults, 0.2,
     "totalCount is the page's own, 0, too high, or null with Offset ignored for some seconds; 5 rows a page"},
    {Fault::short_retention, "short-retention", source, of_all_faults, 0.2,
     "the client is told that logs are kept for an hour"},
    {Fault::one_session, "one-session", source, of_all_faults, 0.2, "a login ends the tokens of those before it"},
    {Fault::shift_insert, "shift-insert", listing, of_all_faults, 0.1, "old sessions come up between two pages"},
    {Fault::shift_delete, "shift-delete", listing, of_all_faults, 0.1, "old sessions are deleted between two pages"},
    {Fault::total_null, "total-null", listing, of_all_faults, 0.3, "totalCount is null"},
    {Fault::total_wrong, "total-wrong", listing, of_all_faults, 0.1, "totalCount is a little wrong"},
    {Fault::vanish_session, "vanish-session", session, of_all_faults, 0.1, "it is deleted some time after it began"},
    {Fault::reuse_id, "reuse-id", session, of_all_faults, 0.3, "it takes the id of an old session, which is gone then"},
    {Fault::reopen, "reopen", session, of_all_faults, 0.1, "it runs again after its end, with later entries"},
    {Fault::never_ending, "never-ending", session, of_all_faults, 0.05, "it stays Running for good, without news"},
    {Fault::late_session, "late-session", session, of_all_faults, 0.05, "it began weeks ago and runs"},
    {Fault::given_away, "given-away", session, of_all_faults, 0.1, "while it runs its id goes to another session"},
    {Fault::reopened_oddly, "reopened-oddly", session, of_all_faults, 0.05,
     "it runs again after its end, with back-dated, re-dated, corrected and future entries"},
    {Fault::corrected_start, "corrected-start", session, of_all_faults, 0.1,
     "its start is corrected: from a planned one, from year 1, from seven digits to six"},
    {Fault::cleared_log, "cleared-log", session, of_all_faults, 0.05,
     "its log is cleared while it runs, or when it runs again"},
    {Fault::paged_log, "paged-log", session, of_all_faults, 0.05,
     "its log has 30 entries for a while, with a word that there are more"},
    {Fault::short_entries, "short-entries", session, of_all_faults, 0.001,
     "its log has 17,500 or 20,000 short entries"},
    {Fault::unannounced_entry, "unannounced-entry", session, of_none, 0.1,
     "one more entry long after its end, and its row stays as it was: only who reads all logs again finds it"},
    {Fault::long_entry, "long-entry", session, of_none, 0.1, "one more entry, at its start, with a message of 4 KiB"},
};
static_assert(std::size(kTable) + 1 == kFaultKinds);

const Misbehaviour& by_name(std::string_view name) {
  const auto found = std::find_if(std::begin(kTable), std::end(kTable), [&](const auto& m) { return m.name == name; });
  if (found != std::end(kTable)) return *found;
  throw std::invalid_argument("there is no fault of the name " + std::string(name) + ": see `fleet_sim faults`");
}

double read_probability(std::string_view text) {
  double share = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), share);
  if (error != std::errc{} || end != text.data() + text.size() || share < 0 || share > 1) {
    throw std::invalid_argument("a probability lies between 0 and 1: " + std::string(text));
  }
  return share;
}

FaultMix mix_up_to(Part part) {
  FaultMix mix;
  for (const Misbehaviour& m : kTable) {
    if (m.part <= part) mix.set(m.fault, m.probability);
  }
  return mix;
}

}  // namespace

std::span<const Misbehaviour> misbehaviours() { return kTable; }

const Misbehaviour& misbehaviour(Fault fault) { return kTable[static_cast<std::size_t>(fault) - 1]; }

std::string_view scope_name(Scope scope) {
  static constexpr std::string_view kNames[] = {"responses", "entries", "appliances", "pages", "sessions"};
  return kNames[static_cast<std::size_t>(scope)];
}

void FaultMix::set(std::string_view text) {
  const std::size_t equals = text.find('=');
  const Misbehaviour& which = by_name(text.substr(0, equals));
  set(which.fault, equals == std::string_view::npos ? which.probability : read_probability(text.substr(equals + 1)));
}

FaultMix FaultMix::of_responses() { return mix_up_to(of_faults); }

FaultMix FaultMix::of_everything() { return mix_up_to(of_all_faults); }

Fault FaultMix::draw(Random& random) const {
  double point = random.real();
  for (const Misbehaviour& m : kTable) {
    if (m.scope != response) continue;
    if (point < share(m.fault)) return m.fault;
    point -= share(m.fault);
  }
  return Fault::none;
}

bool FaultMix::strikes(Fault fault, std::uint64_t seed) const {
  return Random(seed_of(seed, 0xfa17 + static_cast<std::uint64_t>(fault))).chance(share(fault));
}

}  // namespace fleet
