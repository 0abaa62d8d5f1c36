#include "core/entry.h"

namespace sessionlogd {
namespace {

// No word of a dialect is so long, however it is escaped.
constexpr std::size_t kLongestStatus = 16u << 10;

const std::optional<ReadTime>* time_field(const Entry& entry, EntryField field) {
  if (field == EntryField::kLogTime) return &entry.log_time;
  if (field == EntryField::kStart) return &entry.start;
  return nullptr;
}

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

// The first alternative that is present.
std::optional<EntryField> present(const Entry& entry, const std::vector<EntryField>& alternatives) {
  for (const EntryField field : alternatives) {
    if (!entry.field(field).empty()) return field;
  }
  return std::nullopt;
}

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
  add_identity(dialect, entry);
  entry.base = input_.entry_base(session_key);
  input_.clear();
  add_content(dialect, entry);
  entry.hash = input_.event_hash();
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
}

void EntryReader::add_identity(const Dialect& dialect, const Entry& entry) {
  if (entry.raw.empty() || entry.raw.front() != '{') {
    input_.add_raw(entry.raw);
    return;
  }
  for (const auto& alternatives : dialect.log.identity) {
    const auto field = present(entry, alternatives);
    if (!field) {
      input_.add_absent();
    } else {
      add_field(entry, *field);
    }
  }
}

void EntryReader::add_content(const Dialect& dialect, const Entry& entry) {
  if (entry.raw.empty() || entry.raw.front() != '{') return;
  add_field(entry, EntryField::kStatus);
  if (!entry.final) return;
  for (const EntryField field : dialect.log.content) {
    if (field != EntryField::kStatus) add_field(entry, field);
  }
}

void EntryReader::add_field(const Entry& entry, EntryField field) {
  const std::string_view token = entry.field(field);
  const auto* time = time_field(entry, field);
  if (token.empty()) {
    input_.add_absent();
  } else if (entry.fault != nullptr) {
    input_.add_raw(token);
  } else if (time != nullptr) {
    input_.add_time((*time)->instant);
  } else {
    input_.add_text(text_of(entry, token));
  }
}

// Valid until the next call.
std::string_view EntryReader::decoded(std::string_view token) {
  if (!is_string_token(token)) return token;
  scratch_.clear();
  append_decoded(scratch_, token);
  return scratch_;
}

}  // namespace sessionlogd
