#include "tests/formats/plain_format.h"

#include <array>
#include <charconv>

#include "core/base/hex.h"

namespace sessionlogd::test {
namespace {

constexpr std::string_view kMark = "P1";

enum Field : std::size_t {
  kBegin,
  kId,
  kHash,
  kSourceId,
  kSourceName,
  kSessionId,
  kChange,
  kTime,  // of the log; "" where there is none
  kCreated,
  kStart,
  kLogTime,
  kStatus,
  kDuration,
  kResourceId,
  kBytesBefore,  // it was cut; "" = not
  kOriginal,
  kExtra,
  kMessage,
  kEnd,
  kFields
};
using Fields = std::array<std::string, kFields>;

constexpr std::array<std::string_view, 4> kChanges = {"new", "changed", "error", "gap"};

std::string time_text(const std::optional<Instant>& at) {
  std::string text;
  if (at) append_rfc3339(text, *at);
  return text;
}

// A backslash and everything below a blank as \x and two digits.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= ' ' && c != '\\') {
      out += c;
      continue;
    }
    out += "\\x";
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (static_cast<unsigned char>(text[at]) < ' ') return std::nullopt;
    if (text[at] != '\\') {
      out += text[at];
      continue;
    }
    std::uint8_t byte = 0;
    if (text.substr(at + 1, 1) != "x" || !read_hex(text.substr(at + 2, 2), byte)) return std::nullopt;
    out += static_cast<char>(byte);
    at += 3;
  }
  return out;
}

std::string line_of(const Fields& fields) {
  std::string line;
  for (const std::string& field : fields) line += (line.empty() ? "" : "\t") + escaped(field);
  return line;
}

std::optional<Fields> fields_of(std::string_view line) {
  Fields fields;
  for (std::size_t field = 0; field < kFields; ++field) {
    const std::size_t end = line.find('\t');
    if ((end == line.npos) != (field == kEnd)) return std::nullopt;
    std::optional<std::string> text = unescaped(line.substr(0, end));
    if (!text) return std::nullopt;
    fields[field] = std::move(*text);
    line.remove_prefix(end == line.npos ? line.size() : end + 1);
  }
  return fields[kBegin] == kMark && fields[kEnd] == kMark ? std::optional(std::move(fields)) : std::nullopt;
}

class PlainEncoder : public Encoder {
 public:
  explicit PlainEncoder(const SourceSettings& source) : id_(source.id), name_(source.name) {}

  void append(const Event& event, LineBuffer& out) override {
    Fields fields;
    fields[kBegin] = fields[kEnd] = kMark;
    append_hex(fields[kId], event.session_key);
    append_hex(fields[kId], event.entry_key);
    append_hex(fields[kHash], event.hash);
    fields[kSourceId] = id_;
    fields[kSourceName] = name_;
    fields[kSessionId] = event.session->id;
    fields[kChange] = kChanges[static_cast<std::size_t>(event.kind)];
    fields[kTime] = time_text(event.delivered_log_time());
    fields[kCreated] = time_text(event.created);
    fields[kStart] = time_text(event.start);
    fields[kLogTime] = event.log_time;
    fields[kStatus] = event.status;
    fields[kDuration] = event.duration;
    fields[kResourceId] = event.resource_id;
    fields[kOriginal] = event.original;
    fields[kExtra] = event.extra;
    fields[kMessage] = event.message;
    out += line_of(fields);
    out += '\n';
  }

 private:
  const std::string id_, name_;
};

class PlainReader : public LineReader {
 public:
  std::optional<WrittenEvent> read(std::string_view line) override {
    std::optional<Fields> read = fields_of(line);
    if (!read) return std::nullopt;
    fields_ = std::move(*read);
    const std::string_view id = fields_[kId];
    WrittenEvent event;
    if (id.size() != 32 || !read_hex(id.substr(0, 16), event.entry.session_key) ||
        !read_hex(id.substr(16), event.entry.entry_key) || !read_hex(fields_[kHash], event.entry.hash))
      return std::nullopt;
    event.entry.source_id = fields_[kSourceId];
    event.entry.session_id = fields_[kSessionId];
    if (const auto time = parse_rfc3339(fields_[kTime])) event.entry.log_time = time->instant;
    for (std::size_t kind = 0; kind < kChanges.size(); ++kind) {
      if (fields_[kChange] == kChanges[kind]) event.change = static_cast<EventKind>(kind);
    }
    event.source_name = fields_[kSourceName];
    event.created = fields_[kCreated];
    if (const auto created = parse_rfc3339(event.created)) event.entry.read_at = created->instant;
    event.start = fields_[kStart];
    event.log_time = fields_[kLogTime];
    event.status = fields_[kStatus];
    event.duration = fields_[kDuration];
    event.resource_id = fields_[kResourceId];
    event.original = fields_[kOriginal];
    event.extra = fields_[kExtra];
    event.message = fields_[kMessage];
    return event;
  }

 private:
  Fields fields_;
};

std::string cut_plain(std::string_view line, std::size_t limit) {
  Fields fields = fields_of(line).value();
  fields[kBytesBefore] = std::to_string(line.size());
  for (const Field field : {kExtra, kOriginal, kMessage}) {
    while (!fields[field].empty() && line_of(fields).size() > limit) fields[field].resize(fields[field].size() / 2);
  }
  return line_of(fields);
}

}  // namespace

constinit const Format kPlainFormat{
    .name = "plain",
    .content_type = "text/plain; charset=utf-8",
    .opening = kMark,
    .encoder = [](const SourceSettings& source, const SinkSettings&, std::string_view,
                  std::string_view) -> std::unique_ptr<Encoder> { return std::make_unique<PlainEncoder>(source); },
    .reader = []() -> std::unique_ptr<LineReader> { return std::make_unique<PlainReader>(); },
    .cut = cut_plain,
};

}  // namespace sessionlogd::test
