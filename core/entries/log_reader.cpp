#include "core/entries/log_reader.h"

#include <algorithm>
#include <span>

#include "core/base/json_text.h"
#include "core/state/delivered_sum.h"
#include "core/state/identity.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kOpenedAgain =
    "the session was done and is opened again, and what was delivered of it is not known entry by entry: what it wrote "
    "since may be missing";

// What names all that an entry of the session comes to, beside its bytes.
std::uint64_t reading_of(const SourceFormat& source, const SessionState& session) {
  return session.key ^ source.number ^ std::uint64_t{static_cast<std::uint8_t>(session.shift.quarters)} << 56;
}

// Where a sum is all that is known, what was not found by it is all of it.
std::size_t news_of(const SessionState& session, const Comparison& log) {
  return session.delivered_sum && !log.unknown.empty() ? log.entries : log.missing;
}

constexpr std::size_t kFewEntries = 1'000;  // whose times may be kept
constexpr std::size_t kLargestIndexed = 8u << 20;
constexpr std::size_t kIndexStep = 64u << 10;  // core/json_index

}  // namespace

Result<ReadOutcome> LogReader::read(const SourceFormat& source, SessionState& session, const Body& body, bool last_read,
                                    Strange strange) {
  auto outcome = read_all(source, session, body, last_read, strange);
  if (body.size() > kSmallBody) shrink();
  return outcome;
}

Result<ReadOutcome> LogReader::read_all(const SourceFormat& source, SessionState& session, const Body& body,
                                        bool last_read, Strange strange) {
  // What a large response brought is asked for after its read.
  if (came_.size() > kFewEntries) decltype(came_)().swap(came_);
  came_.clear();
  // A first read has nothing to find, and most sessions are read once.
  Remembered remembered;
  if (session.history.size() > 0 && body.size() <= kSmallBody) remembered = {&known_, reading_of(source, session)};
  const auto parsed =
      parser_.parse(*source.dialect, body, session.info.id(), session.key, limits_of(body), remembered, session.shift);
  if (parsed.has_error()) return parsed.error();
  const SessionLog& log = **parsed;

  digests_.clear();
  for (const Entry& entry : log.entries) digests_.push_back({entry.base, entry.hash, entry.final});
  // What may still be elsewhere is not gone, and a session of which there is more is not read for the last time.
  const bool is_all = log.more_elsewhere.empty();
  const bool is_whole = is_all && log.fault.empty();
  const bool is_reopened = session.delivered_sum || session.only_after != kNever;
  // Of what was delivered before, nothing is left out for not being due.
  const CompareRules rules{.only_final = source.only_final,
                           .last_read = (last_read && is_all) || (is_reopened && is_whole),
                           .whole = is_whole};
  const std::vector<Emission>& found = comparer_.compare(session.history, digests_, session.key, rules, &parser_);

  ReadOutcome outcome;
  outcome.entries = log.entries.size();
  outcome.fault = log.fault;
  outcome.more_elsewhere = log.more_elsewhere;
  outcome.recognised = comparer_.recognised();
  outcome.held_back = comparer_.held_back();
  outcome.shrunk = is_whole && lacks_known_entries(session);
  // An empty log may be one that is not there yet.
  const bool decides = is_reopened && is_whole && !log.entries.empty();
  // Whether any of them is due says nothing of whose they are.
  if (!log.entries.empty() && strange != Strange::kTake && comparer_.recognised() == 0 &&
      may_be_anothers(source, session, log, strange)) {
    outcome.strange = true;
    return outcome;
  }
  if (found.empty() && !decides) return outcome;

  for (const Emission& emission : found) {
    if (emission.change == Change::kAdopted) batch_.advance(session, emission);
  }
  for (const Emission& emission : found) parser_.complete(emission.index);
  batch_.begin(session);
  order_.begin();
  bool may_lack = false;
  if (decides) {
    may_lack = recall(source, session, log, last_read);
    session.delivered_sum.reset();
    session.only_after = kNever;
    batch_.session_changed();
  } else if (is_reopened) {
    order_.hold_back_all(log.entries.size());
  }
  std::span<const Emission> left = order_.sort(source.zone, log.entries, found);
  const auto is_new = [](const Emission& emission) { return emission.change == Change::kNew; };
  session.history.reserve(static_cast<std::size_t>(std::ranges::count_if(left, is_new)));
  for (; !left.empty() && !order_.is_news(left.front()); left = left.subspan(1)) batch_.advance(session, left.front());
  if (may_lack) {
    batch_.append_gap(source, session, GapKind::kMayBeMissing, kOpenedAgain);
    ++outcome.events_gap;
  }
  std::size_t pushed = 0;
  for (; !left.empty(); left = left.subspan(1)) {
    if (pushed >= shares_.events_per_read) {
      outcome.more = true;
      break;
    }
    const Emission& emission = left.front();
    const Entry& entry = log.entries[emission.index];
    batch_.advance(session, emission);
    const bool is_first = !batch_.has_events();
    batch_.append(source, session, entry, emission);
    if (is_first) batch_.make_room_for(source, left.size());
    if (entry.fault == nullptr && entry.log_time)
      session.latest = std::max<Instant>(session.latest, source.zone.to_utc(*entry.log_time));
    if (emission.change == Change::kNew) note_came(source, entry);
    ++(entry.fault != nullptr            ? outcome.events_error
       : emission.change == Change::kNew ? outcome.events_new
                                         : outcome.events_changed);
    if (!log.is_utf8 && !is_utf8(entry.raw)) ++outcome.not_utf8;
    if (batch_.is_full()) pushed += batch_.push(source, session);
  }
  batch_.push(source, session);
  return outcome;
}

bool LogReader::is_shifted(const SourceFormat& source, const SessionState& session, const Body& body, TimeShift shift) {
  const Result<Comparison> as_it_was = compare(source, session, body, session.shift);
  const Result<Comparison> shifted = compare(source, session, body, shift);
  if (as_it_was.has_error() || shifted.has_error()) return false;
  const std::size_t news = news_of(session, *shifted);
  return news < shifted->entries && news <= news_of(session, *as_it_was) && (news == 0 || !shifted->shrunk);
}

Result<Comparison> LogReader::compare(const SourceFormat& source, const SessionState& session, const Body& body) {
  return compare(source, session, body, session.shift);
}

Result<Comparison> LogReader::compare(const SourceFormat& source, const SessionState& session, const Body& body,
                                      TimeShift shift) {
  auto comparison = compare_all(source, session, body, shift);
  if (body.size() > kSmallBody) shrink();
  return comparison;
}

// What a broken or partial response holds counts; only what it lacks says nothing.
Result<Comparison> LogReader::compare_all(const SourceFormat& source, const SessionState& session, const Body& body,
                                          TimeShift shift) {
  const auto parsed = parser_.parse(*source.dialect, body, session.info.id(), session.key, limits_of(body), {}, shift);
  if (parsed.has_error()) return parsed.error();
  const SessionLog& log = **parsed;
  const bool is_whole = log.fault.empty() && log.more_elsewhere.empty();
  digests_.clear();
  for (const Entry& entry : log.entries) digests_.push_back({entry.base, entry.hash, entry.final});

  Comparison comparison{.entries = log.entries.size()};
  comparison.unknown = !log.fault.empty() ? log.fault : log.more_elsewhere;
  if (session.delivered_sum) {
    comparison.shrunk = is_whole && log.entries.empty() && *session.delivered_sum != 0;
    if (!is_whole || comparison.shrunk) return comparison;
    for (std::size_t i = 0; i < log.entries.size(); ++i) parser_.complete(i);
    if (const auto delivered = count_delivered(session, order_.by_time(source.zone, log.entries))) {
      comparison.missing = log.entries.size() - *delivered;
    } else {
      comparison.differs = true;
      comparison.unknown = "it is not what was delivered, which is not known entry by entry any more";
    }
    return comparison;
  }
  const CompareRules rules{.only_final = source.only_final, .last_read = is_whole, .whole = is_whole};
  const auto& found = comparer_.compare(session.history, digests_, session.key, rules, &parser_);
  comparison.missing = static_cast<std::size_t>(
      std::ranges::count_if(found, [](const Emission& emission) { return emission.change != Change::kAdopted; }));
  comparison.shrunk = is_whole && lacks_known_entries(session);
  return comparison;
}

// By the sum, in which the gaps count that were said of it: no log holds them. Of one with gaps only whether it is the
// same can be told.
std::optional<std::size_t> LogReader::count_delivered(const SessionState& session,
                                                      std::span<const std::uint32_t> by_time) {
  constexpr std::uint32_t kMostGaps = 3;  // of a kind
  std::uint32_t given_up = 0;
  for (std::uint32_t i = 0; i <= kMostGaps; ++i) {
    std::uint32_t gaps = given_up;
    for (std::uint32_t k = 0; k <= kMostGaps; ++k) {
      const auto delivered = find_delivered(*session.delivered_sum - gaps, digests_, by_time, session.key);
      if (delivered && (gaps == 0 || delivered->size() == digests_.size())) return delivered->size();
      gaps += sum_share(gap_key(GapKind::kMayBeMissing, k, session.key), 0);
    }
    given_up += sum_share(gap_key(GapKind::kGivenUp, i, session.key), 0);
  }
  return std::nullopt;
}

// Decides which entries of a whole log were delivered before the session was done; true: others may be missing, and
// that is to be said. By the sum if it is there and right, else by the time of the mark.
bool LogReader::recall(const SourceFormat& source, const SessionState& session, const SessionLog& log, bool last_read) {
  for (std::size_t i = 0; i < log.entries.size(); ++i) parser_.complete(i);
  const std::span<const std::uint32_t> by_time = order_.by_time(source.zone, log.entries);
  order_.rank_each(log.entries.size());
  std::optional<std::vector<std::uint32_t>> delivered;
  if (session.delivered_sum) delivered = find_delivered(*session.delivered_sum, digests_, by_time, session.key);
  bool is_later = false;
  if (delivered) {
    for (std::uint32_t rank = 0; rank < delivered->size(); ++rank) order_.was_delivered((*delivered)[rank], rank);
  } else {
    for (std::uint32_t rank = 0; rank < by_time.size(); ++rank) {
      const Entry& entry = log.entries[by_time[rank]];
      if (entry.fault != nullptr || !entry.log_time) continue;
      const bool is_before = source.zone.to_utc(*entry.log_time) <= session.only_after;
      if (is_before) order_.was_delivered(by_time[rank], rank);
      is_later |= !is_before;
    }
  }
  if (source.only_final && !last_read) {
    for (std::size_t i = 0; i < log.entries.size(); ++i) {
      if (!log.entries[i].final) order_.hold_back_if_new(i);
    }
  }
  // A crash may have left the first events of this same decision in the output, and no more.
  const bool said = session.history.knows(gap_key(GapKind::kMayBeMissing, 0, session.key));
  return !delivered && (session.delivered_sum || is_later) && !said;
}

bool LogReader::holds_what_was_delivered(const SourceFormat& source, const SessionState& session,
                                         const SessionLog& log) {
  for (std::size_t i = 0; i < log.entries.size(); ++i) parser_.complete(i);
  const std::span<const std::uint32_t> by_time = order_.by_time(source.zone, log.entries);
  const auto delivered = find_delivered(*session.delivered_sum, digests_, by_time, session.key);
  return delivered && !delivered->empty();
}

// Where a product names when the step began, that is when its entry came: its log time moves as it is updated.
void LogReader::note_came(const SourceFormat& source, const Entry& entry) {
  if (entry.fault != nullptr) return;
  if (const auto& at = entry.start ? entry.start : entry.log_time) came_.push_back(source.zone.to_utc(*at));
}

std::span<const std::chrono::milliseconds> LogReader::ages(Instant now) {
  ages_.clear();
  for (const Instant at : came_) {
    const std::chrono::nanoseconds age{nanoseconds_between(now, at).value_or(0)};
    ages_.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(age));
  }
  std::ranges::sort(ages_, std::ranges::greater{});
  return ages_;
}

// Beside what was said of it, which no response holds.
bool LogReader::lacks_known_entries(const SessionState& session) const {
  std::size_t said = 0;
  if (comparer_.recognised() >= session.history.size()) return false;
  for (const GapKind kind : {GapKind::kGivenUp, GapKind::kMayBeMissing}) {
    for (std::uint32_t number = 0; session.history.knows(gap_key(kind, number, session.key)); ++number) ++said;
  }
  return comparer_.recognised() + said < session.history.size();
}

// Of a session of which entries are known, none of these is. Of one that is new, and has stopped, all of them were
// written later: it writes nothing more, but for what comes late of it, and never that alone. An entry that cannot be
// read may be anyone's.
bool LogReader::may_be_anothers(const SourceFormat& source, const SessionState& session, const SessionLog& log,
                                Strange strange) {
  if (strange == Strange::kOnlyOwn && session.delivered_sum) return !holds_what_was_delivered(source, session, log);
  if (session.history.size() > 0 || strange == Strange::kOnlyOwn) return true;
  const SessionInfo info = session.info.view();
  if (!info.stop || !source.dialect->session_is_final(info.status)) return false;
  for (std::size_t i = 0; i < log.entries.size(); ++i) parser_.complete(i);
  return std::ranges::all_of(log.entries, [&](const Entry& entry) {
    if (entry.fault != nullptr || !entry.log_time) return true;
    return source.zone.to_utc(*entry.log_time) > *info.stop &&
           (!entry.start || source.zone.to_utc(*entry.start) > *info.stop);
  });
}

// What is left of a response's share is for its entries, and for an index if it is worth one.
ResponseLimits LogReader::limits_of(const Body& body) const {
  const bool is_small = body.size() <= kSmallBody;
  const std::size_t share = is_small ? shares_.small_response : shares_.large_response;
  const std::size_t held = is_small ? 0 : body.size();                     // small bodies have a share of their own
  const std::size_t texts = std::min(body.size(), shares_.largest_entry);  // of one entry, decoded
  const std::size_t nesting = body.size() / 8;                             // a bit a level
  const std::size_t index = 4 * (body.size() + kIndexStep);
  const auto entries_beside = [&](std::size_t taken) { return (std::max(share, taken) - taken) / kBytesPerEntry; };
  const bool indexed = is_small || (body.size() <= kLargestIndexed && body.size() <= shares_.large_response / 10);
  return {.entries = entries_beside(held + texts + nesting),
          .indexed_entries = indexed ? entries_beside(held + texts + index) : 0,
          .largest_entry = shares_.largest_entry};
}

// What a large response took is given back: memory for the next one is another shard's, perhaps.
void LogReader::shrink() {
  parser_ = LogParser();
  comparer_ = HistoryComparer();
  // Not = {}: that would keep the memory.
  decltype(digests_)().swap(digests_);
  order_.shrink();
  batch_.shrink();
}

void LogReader::gap(const SourceFormat& source, SessionState& session, GapKind kind, std::string_view why) {
  batch_.begin(session);
  batch_.append_gap(source, session, kind, why);
  batch_.push(source, session);
}

}  // namespace sessionlogd
