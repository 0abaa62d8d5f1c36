#include "core/entries/event_batch.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "core/base/clock.h"
#include "core/base/json_text.h"

namespace sessionlogd {
namespace {

constexpr std::int64_t kNanosPerMilli = 1'000'000;
constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::size_t kLargestOriginal = 32u << 10;  // of an entry that is too large

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

}  // namespace

void EventBatch::begin(const SessionState& session) {
  read_at_ = system_now();
  info_ = session.info.view();
}

void EventBatch::advance(SessionState& session, const Emission& emission) {
  touched_.push_back(session.history.advance(emission));
}

void EventBatch::append(const SourceFormat& source, const SessionState& session, const Entry& entry,
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
    event.original = entry.raw.size() <= largest_entry_ ? entry.raw : entry.raw.substr(0, kLargestOriginal);
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

void EventBatch::append_gap(const SourceFormat& source, SessionState& session, GapKind kind, std::string_view why) {
  std::uint32_t number = 0;
  while (session.history.knows(gap_key(kind, number, session.key))) ++number;
  const Emission emission{0, 0, gap_key(kind, number, session.key), Change::kNew, false, 0};
  Event event;
  event.kind = EventKind::kGap;
  event.session_key = session.key;
  event.entry_key = emission.key;
  event.timestamp = event.created = read_at_;
  event.level = Level::kError;
  event.fault = why;
  event.session = &info_;
  append(source, event);
  advance(session, emission);
}

void EventBatch::append(const SourceFormat& source, const Event& event) {
  const std::size_t before = batch_.events.size();
  // Doubling once more would take twice the memory that is filled.
  if (before > kBytes / 4 - LineBuffer::kRoom) make_room(source, kBytes);
  source.encoder->append(event, line_);
  line_.flush();
  batch_.index.push_back({static_cast<std::uint32_t>(batch_.events.size() - before), event.entry_key, event.hash,
                          event.delivered_log_time()});
}

// A string that grows by doubling is copied as often as it is written.
void EventBatch::make_room_for(const SourceFormat& source, std::size_t events) {
  const std::size_t one = batch_.events.size();
  if (events > 1) make_room(source, events * (one + one / 8));
}

// Much room is always as much: so all of it can be used again.
void EventBatch::make_room(const SourceFormat& source, std::size_t bytes) {
  if (bytes <= batch_.events.capacity()) return;
  if (bytes <= kBytes / 4) return batch_.events.reserve(bytes);
  std::string larger = source.queue->take_spare();
  larger.reserve(kBytes + kBytes / 16);
  larger += batch_.events;
  batch_.events = std::move(larger);
}

void EventBatch::set_times(const SourceFormat& source, const Entry& entry, Event& event) {
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

std::string_view EventBatch::text(Text which, const Entry& entry, EntryField field) {
  const std::string_view token = entry.field(field);
  if (!is_string_token(token)) return token;
  if (entry.plain) return inside_quotes(token);
  texts_[which].clear();
  append_decoded(texts_[which], token);
  return texts_[which];
}

// The fields of the entry that the dialect does not name, as they stood.
std::string_view EventBatch::extra(const Dialect& dialect, std::string_view raw) {
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
std::size_t EventBatch::push(const SourceFormat& source, const SessionState& session) {
  if (touched_.empty() && !session_changed_) return 0;
  batch_.source_id = source.source_id;
  batch_.session_id = session.info.id();
  batch_.session_key = session.key;
  batch_.read_at = std::chrono::steady_clock::now();
  batch_.records.push_back({session.key, StateRecord::kSessionPart, encode_session(session)});
  append_chunks(session, touched_, batch_.records);
  const std::size_t bytes = batch_.bytes();
  source.queue->push(std::move(batch_));
  batch_ = Batch();
  touched_.clear();
  session_changed_ = false;
  return bytes;
}

void EventBatch::shrink() {
  for (std::string& text : texts_) std::string().swap(text);
}

}  // namespace sessionlogd
