#include "core/entries/entry.h"

#include <algorithm>

namespace sessionlogd {
namespace {

// No word of a dialect is so long, however it is escaped.
constexpr std::size_t kLongestStatus = 16u << 10;

// The version before read no larger one as an entry.
constexpr std::size_t kLargestBefore = 256u << 10;

// 0002-01-01T00:00:00Z: .NET writes the year 1 for a time that is not there.
constexpr std::int64_t kYearTwo = -62'104'060'800;

constexpr std::uint32_t kMicrosecond = 1'000;  // in nanoseconds

bool is_time(EntryField field) { return field == EntryField::kLogTime || field == EntryField::kStart; }

Instant to_microseconds(Instant at) { return {at.seconds, at.nanos - at.nanos % kMicrosecond}; }

// Ids and durations are numbers in some products; everything else that we name is a string.
bool may_be_number(EntryField field) {
  return field == EntryField::kId || field == EntryField::kResourceId || field == EntryField::kDuration;
}

const char* wrong_type(EntryField field) {
  switch (field) {
    case EntryField::kLogTime:
      return "the log time is not a string";
    case EntryField::kStatus:
      return "the status is not a string";
    case EntryField::kMessage:
      return "the message is not a string";
    case EntryField::kStart:
      return "the start time is not a string";
    case EntryField::kDuration:
      return "the duration is neither a string nor a number";
    case EntryField::kResourceId:
      return "the resource id is neither a string nor a number";
    case EntryField::kId:
      return "the id is neither a string nor a number";
  }
  return "a field has the wrong type";
}

const char* fault_of_types(const Entry& entry) {
  for (std::size_t i = 0; i < kEntryFields; ++i) {
    const std::string_view token = entry.field(i);
    const auto field = static_cast<EntryField>(i);
    if (token.empty() || is_string_token(token) || (may_be_number(field) && is_number_token(token))) continue;
    return wrong_type(field);
  }
  return nullptr;
}

// A start in the year 1 is none, once it could be read.
bool is_absent(const Entry& entry, EntryField field) {
  return entry.field(field).empty() || (field == EntryField::kStart && entry.fault == nullptr && !entry.start);
}

bool is_object(const Entry& entry) { return !entry.raw.empty() && entry.raw.front() == '{'; }

}  // namespace

void append_field_text(std::string& out, std::string_view token) {
  if (is_string_token(token)) {
    append_decoded(out, token);
  } else {
    out += token;
  }
}

void EntryReader::read(const Dialect& dialect, Entry& entry, std::uint64_t session_key, Encoding encoding) {
  entry.plain = encoding == Encoding::kUtf8 && !entry.has_escape;
  entry.fault = entry.raw.empty() || entry.raw.front() != '{' ? "the entry is not an object"
                : entry.raw.size() > largest_
                    ? "the entry is larger than sink.commit_bytes, or than 1/64 of daemon.memory; event.original holds "
                      "its beginning"
                    : fault_of_types(entry);
  if (entry.fault == nullptr) read_times(dialect, entry);

  const std::string_view status = entry.field(EntryField::kStatus);
  const bool has_status = is_string_token(status) && status.size() <= kLongestStatus;
  entry.status = has_status ? dialect.status(text_of(entry, status)) : nullptr;
  entry.final = entry.status == nullptr || entry.status->final;

  input_.clear();
  add_identity<Reading::kNow>(dialect.log.identity, entry);
  entry.base = input_.entry_base(session_key);
  input_.clear();
  add_content<Reading::kNow>(dialect, entry);
  entry.hash = input_.event_hash();
}

FormerDigest EntryReader::former(const Dialect& dialect, const Entry& entry, std::uint64_t session_key) {
  FormerDigest former{.base = 0, .earlier = 0, .hash = entry.hash};
  input_.clear();
  add_identity<Reading::kBefore>(dialect.log.identity_before, entry);
  former.base = input_.entry_base(session_key);
  input_.clear();
  add_identity<Reading::kEarlier>(dialect.log.identity, entry);
  former.earlier = input_.entry_base(session_key);
  // What was only said to be too large is news now: its hash of before says nothing.
  if (entry.raw.size() > kLargestBefore) return former;
  input_.clear();
  add_content<Reading::kBefore>(dialect, entry);
  former.hash = input_.event_hash();
  return former;
}

void EntryReader::read_times(const Dialect& dialect, Entry& entry) {
  const std::string_view log_time = entry.field(EntryField::kLogTime);
  const std::string_view start = entry.field(EntryField::kStart);
  const auto read = [](std::string_view text, std::optional<ReadTime>& into) {
    if (!read_rfc3339(text, into.emplace())) into.reset();
  };
  if (!log_time.empty()) read(text_of(entry, log_time), entry.log_time);
  if (!start.empty()) read(text_of(entry, start), entry.start);

  const bool needs_log_time = !dialect.log.fields[static_cast<std::size_t>(EntryField::kLogTime)].empty();
  if (needs_log_time && log_time.empty()) {
    entry.fault = "the entry has no log time";
  } else if (!log_time.empty() && !entry.log_time) {
    entry.fault = "the log time is not an RFC 3339 time";
  } else if (!start.empty() && !entry.start) {
    entry.fault = "the start time is not an RFC 3339 time";
  }
  if (entry.start && entry.start->instant.seconds < kYearTwo) entry.start.reset();
}

template <EntryReader::Reading reading>
void EntryReader::add_identity(const std::vector<std::vector<EntryField>>& identity, const Entry& entry) {
  if (!is_object(entry)) {
    input_.add_raw(entry.raw);
    return;
  }
  for (const auto& alternatives : identity) {
    const auto present = std::ranges::find_if(alternatives, [&](EntryField field) {
      return reading == Reading::kBefore ? !entry.field(field).empty() : !is_absent(entry, field);
    });
    if (present == alternatives.end()) {
      input_.add_absent();
    } else {
      add_field<reading>(entry, *present);
    }
  }
}

template <EntryReader::Reading reading>
void EntryReader::add_content(const Dialect& dialect, const Entry& entry) {
  if (!is_object(entry)) return;
  add_field<reading>(entry, EntryField::kStatus);
  if (!entry.final) return;
  for (const EntryField field : dialect.log.content) {
    if (field != EntryField::kStatus) add_field<reading>(entry, field);
  }
}

template <EntryReader::Reading reading>
void EntryReader::add_field(const Entry& entry, EntryField field) {
  const std::string_view token = entry.field(field);
  const bool is_raw = entry.fault != nullptr || (reading == Reading::kBefore && entry.raw.size() > kLargestBefore);
  if (reading == Reading::kBefore ? token.empty() : is_absent(entry, field)) {
    input_.add_absent();
  } else if (is_raw) {
    input_.add_raw(token);
  } else if (is_time(field)) {
    input_.add_time(time_of<reading>(entry, field));
  } else {
    input_.add_text(text_of(entry, token));
  }
}

// Of a field that is a time.
template <EntryReader::Reading reading>
Instant EntryReader::time_of(const Entry& entry, EntryField field) {
  if (reading == Reading::kBefore) return before_shift(parse_rfc3339(text_of(entry, entry.field(field)))->instant);
  const Instant written = (field == EntryField::kLogTime ? entry.log_time : entry.start)->instant;
  const Instant at = before_shift(to_microseconds(written));
  return reading == Reading::kEarlier ? add_nanoseconds(at, -std::int64_t{kMicrosecond}).value_or(at) : at;
}

// A time that is not there is in no zone.
Instant EntryReader::before_shift(Instant at) const { return at.seconds < kYearTwo ? at : shift_.before(at); }

// Valid until the next call.
std::string_view EntryReader::decoded(std::string_view token) {
  if (!is_string_token(token)) return token;
  scratch_.clear();
  append_decoded(scratch_, token);
  return scratch_;
}

}  // namespace sessionlogd
