#include "core/log_reader.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <limits>

#include "core/json_text.h"

namespace sessionlogd {
namespace {

constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;

std::optional<std::int64_t> parse_count(std::string_view text, std::int64_t unit_ns) {
  std::int64_t count = 0, nanos = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || end != text.data() + text.size() || __builtin_mul_overflow(count, unit_ns, &nanos))
    return std::nullopt;
  return nanos;
}

// Of a product that documents numbers and sends time spans, or the other way round, both are read.
std::optional<std::int64_t> parse_duration(Dialect::Log::DurationNotation notation, std::string_view text) {
  if (const auto span = parse_time_span(text)) return span;
  return parse_count(text, notation == Dialect::Log::DurationNotation::kSeconds ? kNanosPerSecond : kNanosPerMilli);
}

constexpr Instant kNoTime{std::numeric_limits<std::int64_t>::max(), 0};  // later than any

constexpr std::size_t kLargestIndexed = 8u << 20;
constexpr std::size_t kLargestOriginal = 32u << 10;  // of an entry that is too large
constexpr std::size_t kIndexStep = 64u << 10;        // core/json_index

}  // namespace

std::uint64_t next_format_number() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

Result<ReadOutcome> LogReader::read(const SourceFormat& source, SessionState& session, const Body& body, bool last_read,
                                    Strange strange) {
  auto outcome = read_all(source, session, body, last_read, strange);
  if (body.size() > kSmallBody) shrink();
  return outcome;
}

Result<ReadOutcome> LogReader::read_all(const SourceFormat& source, SessionState& session, const Body& body,
                                        bool last_read, Strange strange) {
  // A first read has nothing to find, and most sessions are read once.
  Remembered remembered;
  if (session.history.size() > 0 && body.size() <= kSmallBody) remembered = {&known_, session.key ^ source.number};
  const auto parsed = parser_.parse(*source.dialect, body, session.info.id(), session.key, limits_of(body), remembered);
  if (parsed.has_error()) return parsed.error();
  const SessionLog& log = **parsed;

  digests_.clear();
  for (const Entry& entry : log.entries) digests_.push_back({entry.base, entry.hash, entry.final});
  // What may still be elsewhere is not gone, and a session of which there is more is not read for the last time.
  const bool is_all = log.more_elsewhere.empty();
  const CompareRules rules{
      .only_final = source.only_final, .last_read = last_read && is_all, .whole = is_all && log.fault.empty()};
  const std::vector<Emission>& found = comparer_.compare(session.history, digests_, session.key, rules, &parser_);

  ReadOutcome outcome;
  outcome.entries = log.entries.size();
  outcome.fault = log.fault;
  outcome.more_elsewhere = log.more_elsewhere;
  if (found.empty()) return outcome;
  if (strange != Strange::kTake && comparer_.recognised() == 0 && may_be_anothers(source, session, log, strange)) {
    outcome.strange = true;
    return outcome;
  }

  for (const Emission& emission : found) {
    if (emission.change == Change::kAdopted) touched_.push_back(session.history.advance(emission));
  }
  for (const Emission& emission : found) parser_.complete(emission.index);
  sort_by_time(source, log, found);
  read_at_ = system_now();
  info_ = session.info.view();
  const auto is_new = [](const Emission& emission) { return emission.change == Change::kNew; };
  session.history.reserve(static_cast<std::size_t>(std::ranges::count_if(found, is_new)));
  std::size_t pushed = 0;
  for (const Emission& emission : emissions_) {
    if (pushed >= shares_.events_per_read) {
      outcome.more = true;
      break;
    }
    const Entry& entry = log.entries[emission.index];
    const bool has_time = entry.fault == nullptr && entry.log_time;
    // Once the session is done its latest time says nothing of an entry without one, nor of one that is still to
    // change, which may get a later time by that.
    const bool for_good = has_time && entry.final;
    touched_.push_back(for_good ? session.history.advance(emission) : session.history.advance_to_keep(emission));
    if (emission.change == Change::kNew && was_delivered_before(source, session, entry)) continue;
    const bool is_first = batch_.events.empty();
    encode(source, session, entry, emission);
    if (is_first) make_room_for(static_cast<std::size_t>(emissions_.data() + emissions_.size() - &emission));
    if (entry.fault == nullptr && entry.log_time)
      session.latest = std::max<Instant>(session.latest, source.zone.to_utc(*entry.log_time));
    ++(entry.fault != nullptr            ? outcome.events_error
       : emission.change == Change::kNew ? outcome.events_new
                                         : outcome.events_changed);
    if (!log.is_utf8 && !is_utf8(entry.raw)) ++outcome.not_utf8;
    if (batch_.events.size() >= kBatchBytes) pushed += push(source, session);
  }
  push(source, session);
  return outcome;
}

// Ids of sessions that run are not given away. One that has stopped writes nothing more, but for what comes late of it;
// never that alone. An entry that cannot be read may be anyone's.
bool LogReader::may_be_anothers(const SourceFormat& source, const SessionState& session, const SessionLog& log,
                                Strange strange) {
  const SessionInfo info = session.info.view();
  const bool in_doubt = strange == Strange::kOnlyOwn;
  if (!source.dialect->session_is_final(info.status)) return in_doubt;
  if (session.history.size() > 0) return true;
  if (!info.stop) return in_doubt;
  for (std::size_t i = 0; i < log.entries.size(); ++i) parser_.complete(i);
  return std::ranges::all_of(log.entries, [&](const Entry& entry) {
    if (entry.fault != nullptr || !entry.log_time) return true;
    return source.zone.to_utc(*entry.log_time) > *info.stop &&
           (!entry.start || source.zone.to_utc(*entry.start) > *info.stop);
  });
}

// What is left of an answer's share is for its entries, and for an index if it is worth one.
AnswerLimits LogReader::limits_of(const Body& body) const {
  const bool is_small = body.size() <= kSmallBody;
  const std::size_t share = is_small ? shares_.small_answer : shares_.large_answer;
  const std::size_t held = is_small ? 0 : body.size();                     // small bodies have a share of their own
  const std::size_t texts = std::min(body.size(), shares_.largest_entry);  // of one entry, decoded
  const std::size_t nesting = body.size() / 8;                             // a bit a level
  const std::size_t index = 4 * (body.size() + kIndexStep);
  const auto entries_beside = [&](std::size_t taken) { return (std::max(share, taken) - taken) / kBytesPerEntry; };
  const bool indexed = is_small || (body.size() <= kLargestIndexed && body.size() <= shares_.large_answer / 10);
  return {.entries = entries_beside(held + texts + nesting),
          .indexed_entries = indexed ? entries_beside(held + texts + index) : 0,
          .largest_entry = shares_.largest_entry};
}

// What a large answer took is given back: memory for the next one is another shard's, perhaps.
void LogReader::shrink() {
  parser_ = LogParser();
  comparer_ = HistoryComparer();
  // Not = {}: that would keep the memory.
  decltype(digests_)().swap(digests_);
  decltype(emissions_)().swap(emissions_);
  decltype(order_)().swap(order_);
  decltype(numbered_)().swap(numbered_);
  decltype(to_number_)().swap(to_number_);
  for (std::string& text : texts_) std::string().swap(text);
}

// A session that was done and opened again has no history, only the latest time that was delivered of it.
bool LogReader::was_delivered_before(const SourceFormat& source, const SessionState& session,
                                     const Entry& entry) const {
  return session.only_after != kNever && entry.fault == nullptr && entry.log_time &&
         source.zone.to_utc(*entry.log_time) <= session.only_after;
}

void LogReader::gap(const SourceFormat& source, SessionState& session, std::string_view why) {
  HashInput input;
  input.add_raw("gap");
  const Emission emission{0, 0, input.entry_base(session.key), Change::kNew, false, 0};
  read_at_ = system_now();
  info_ = session.info.view();
  Event event;
  event.kind = EventKind::kGap;
  event.session_key = session.key;
  event.entry_key = emission.key;
  event.timestamp = event.created = read_at_;
  event.level = Level::kError;
  event.fault = why;
  event.session = &info_;
  append(source, event);
  touched_.push_back(session.history.advance_to_keep(emission));
  push(source, session);
}

// Puts into emissions_ what was found and is to be emitted, in order of the log time, unreadable times last, ties in
// order of the answer.
void LogReader::sort_by_time(const SourceFormat& source, const SessionLog& log, const std::vector<Emission>& found) {
  order_.clear();
  bool has_twins = false;
  for (std::uint32_t i = 0; i < found.size(); ++i) {
    if (found[i].change == Change::kAdopted) continue;
    const Entry& entry = log.entries[found[i].index];
    has_twins |= found[i].has_twin;
    Instant at = kNoTime;
    if (entry.fault == nullptr && entry.log_time) at = source.zone.to_utc(*entry.log_time);
    order_.push_back({at.seconds, std::uint64_t{at.nanos} << 32 | i});
  }
  const bool is_sorted = std::ranges::is_sorted(order_);
  if (!is_sorted) std::ranges::sort(order_);
  emissions_.clear();
  for (const Order& next : order_) emissions_.push_back(found[static_cast<std::uint32_t>(next.nanos_and_number)]);
  if (!is_sorted && has_twins) number_twins(log, found);
}

// New twins take their ordinals in the order in which they are emitted: after a crash between two batches, or in the
// middle of one, the ones that are in the output must be the first, or they would not be found again.
void LogReader::number_twins(const SessionLog& log, const std::vector<Emission>& found) {
  const auto by_identity = [&](const std::vector<Emission>& emissions, std::vector<std::uint32_t>& order) {
    order.clear();
    for (std::uint32_t i = 0; i < emissions.size(); ++i) {
      if (emissions[i].has_twin) order.push_back(i);
    }
    std::ranges::stable_sort(order, {}, [&](std::uint32_t i) { return log.entries[emissions[i].index].base; });
  };
  by_identity(found, numbered_);
  by_identity(emissions_, to_number_);
  for (std::size_t i = 0; i < numbered_.size(); ++i) emissions_[to_number_[i]].key = found[numbered_[i]].key;
}

void LogReader::encode(const SourceFormat& source, const SessionState& session, const Entry& entry,
                       const Emission& emission) {
  Event event;
  event.kind = entry.fault != nullptr            ? EventKind::kError
               : emission.change == Change::kNew ? EventKind::kNew
                                                 : EventKind::kChanged;
  event.session_key = session.key;
  event.entry_key = emission.key;
  event.hash = emission.hash;
  event.created = read_at_;
  event.session = &info_;
  if (entry.fault != nullptr) {
    event.timestamp = read_at_;
    event.fault = entry.fault;
    event.original = entry.raw.size() <= shares_.largest_entry ? entry.raw : entry.raw.substr(0, kLargestOriginal);
  } else {
    event.has_message = !entry.field(EntryField::kMessage).empty();
    event.message = text(kMessage, entry, EntryField::kMessage);
    event.log_time = text(kLogTime, entry, EntryField::kLogTime);
    event.status = text(kStatus, entry, EntryField::kStatus);
    event.duration = text(kDuration, entry, EntryField::kDuration);
    event.resource_id = text(kResourceId, entry, EntryField::kResourceId);
    if (entry.has_extra) event.extra = extra(*source.dialect, entry.raw);
    if (source.keep_original) event.original = entry.raw;
    if (entry.status != nullptr) {
      event.outcome = entry.status->outcome;
      event.level = entry.status->level;
    }
    set_times(source, entry, event);
  }

  append(source, event);
}

// Of so many events, if they are like the first: a string that grows by doubling is copied as often as it is written.
void LogReader::make_room_for(std::size_t events) {
  const std::size_t one = batch_.events.size();
  if (events > 1) make_room(events * (one + one / 8));
}

// Much room is always as much: so all of it can be used again.
void LogReader::make_room(std::size_t bytes) {
  if (bytes <= batch_.events.capacity()) return;
  if (bytes <= kBatchBytes / 4) return batch_.events.reserve(bytes);
  std::string larger = queue_.take_spare();
  larger.reserve(kBatchBytes + kBatchBytes / 16);
  larger += batch_.events;
  batch_.events = std::move(larger);
}

void LogReader::append(const SourceFormat& source, const Event& event) {
  const std::size_t before = batch_.events.size();
  // Doubling once more would take twice the memory that is filled.
  if (before > kBatchBytes / 4 - LineBuffer::kRoom) make_room(kBatchBytes);
  source.encoder->append(event, line_);
  line_.flush();
  batch_.index.push_back({static_cast<std::uint32_t>(batch_.events.size() - before), event.entry_key, event.hash});
}

void LogReader::set_times(const SourceFormat& source, const Entry& entry, Event& event) {
  const auto& log = source.dialect->log;
  event.timestamp = entry.log_time ? source.zone.to_utc(*entry.log_time) : read_at_;
  if (entry.start) event.start = source.zone.to_utc(*entry.start);
  if (log.duration_from == Dialect::Log::DurationFrom::kTimes) {
    if (!entry.final) return;
    event.end = event.timestamp;
    if (event.start) event.duration_ns = nanoseconds_between(*event.end, *event.start);
  } else {
    event.duration_ns = parse_duration(log.duration_notation, event.duration);
    if (event.start && event.duration_ns && *event.duration_ns >= 0)
      event.end = add_nanoseconds(*event.start, *event.duration_ns);
  }
  if (event.duration_ns && *event.duration_ns < 0) event.duration_ns.reset();
}

std::string_view LogReader::text(Text which, const Entry& entry, EntryField field) {
  const std::string_view token = entry.field(field);
  if (!is_string_token(token)) return token;
  if (entry.plain) return inside_quotes(token);
  texts_[which].clear();
  append_decoded(texts_[which], token);
  return texts_[which];
}

// The fields of the entry that the dialect does not name, as they stood.
std::string_view LogReader::extra(const Dialect& dialect, std::string_view raw) {
  std::string& out = texts_[kExtra];
  out.clear();
  std::string& name = texts_[kOriginal];
  JsonCursor cursor(raw);
  if (!cursor.enter('{')) return {};
  while (const auto key = cursor.next_key()) {
    const auto value = cursor.take_value();
    if (!value) break;
    name.clear();
    append_decoded(name, *key);
    const auto& known = dialect.log.fields;  // "" where the product has none
    if (!name.empty() && std::find(known.begin(), known.end(), name) != known.end()) continue;
    out += out.empty() ? "{" : ",";
    out.append(*key).append(":").append(*value);
  }
  if (!out.empty()) out += '}';
  return out;
}

// Returns how much there is more in the queue.
std::size_t LogReader::push(const SourceFormat& source, const SessionState& session) {
  if (touched_.empty()) return 0;
  batch_.source_id = source.source_id;
  batch_.session_id = session.info.id();
  batch_.session_key = session.key;
  batch_.read_at = std::chrono::steady_clock::now();
  batch_.records.push_back({session.key, StateRecord::kSessionPart, encode_session(session)});
  append_chunks(session, touched_, batch_.records);
  const std::size_t bytes = batch_.bytes();
  queue_.push(std::move(batch_));
  batch_ = Batch();
  touched_.clear();
  return bytes;
}

}  // namespace sessionlogd
