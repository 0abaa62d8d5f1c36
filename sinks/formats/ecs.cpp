#include "sinks/formats/ecs.h"

#include <array>
#include <charconv>

#include "core/base/hex.h"
#include "core/base/json_text.h"
#include "core/base/line_buffer.h"
#include "sinks/formats/event_words.h"
#include "sinks/formats/json_cut.h"
#include "sinks/formats/json_line.h"

namespace sessionlogd {
namespace {

// ,"name":"text", nothing when there is no text.
template <class Text>
void append_text(Text& out, std::string_view name, std::string_view text) {
  if (text.empty()) return;
  out += name;
  append_json_string(out, text);
}

}  // namespace

void EcsEncoder::WrittenSession::of(const SessionInfo& session) {
  if (!kept_.changes_to(session)) return;
  action_.clear();
  append_text(action_, R"(,"action":)", session.type);
  fields_.clear();
  append_text(fields_, R"(,"session_id":)", session.id);
  append_text(fields_, R"(,"session_type":)", session.type);
  append_text(fields_, R"(,"session_name":)", session.name);
  append_text(fields_, R"(,"parent_session_id":)", session.parent);
}

EcsEncoder::EcsEncoder(const SourceSettings& source, std::string_view agent_name, std::string_view agent_version) {
  before_event_ = R"("},"agent":{"type":"sessionlogd")";
  append_text(before_event_, R"(,"version":)", agent_version);
  append_text(before_event_, R"(,"name":)", agent_name);
  before_event_ += R"(},"event":{"id":")";

  append_text(event_origin_, R"(,"module":)", source.dialect->module);
  append_text(event_origin_, R"(,"dataset":)", source.dialect->dataset);

  after_event_ = R"(},"observer":{"vendor":)";
  append_json_string(after_event_, source.dialect->vendor);
  append_text(after_event_, R"(,"product":)", source.dialect->product);
  append_text(after_event_, R"(,"name":)", source.name);
  append_text(after_event_, R"(,"hostname":)", source.host);
  after_event_ += R"(},"sessionlog":{"record":"entry","source":)";
  append_json_string(after_event_, source.name);
  // Recovery finds the state by the id; it stands here only where it differs.
  if (source.id != source.name) append_text(after_event_, R"(,"source_id":)", source.id);

  for (const auto& [name, text] : source.labels) {
    labels_ += labels_.empty() ? R"(},"labels":{)" : ",";
    append_json_string(labels_, name);
    labels_ += ':';
    append_json_string(labels_, text);
  }
  labels_ += "}}\n";
}

void EcsEncoder::append(const Event& event, LineBuffer& out) {
  session_.of(*event.session);
  out += R"({"@timestamp":")";
  out += timestamp_.text(event.timestamp);
  out += '"';
  if (event.has_message) {
    out += R"(,"message":)";
    append_json_string(out, event.message);
  }
  out += R"(,"ecs":{"version":"8.11.0"},"log":{"level":")";
  out += word(event.level);
  out += before_event_;
  append_hex(out, event.session_key);
  append_hex(out, event.entry_key);
  out += R"(","hash":")";
  append_hex(out, event.hash);
  out += event.kind == EventKind::kError ? R"(","kind":"pipeline_error")" : R"(","kind":"event")";
  out += event_origin_;
  out += session_.action();
  out += R"(,"outcome":")";
  out += word(event.outcome);
  out += '"';
  out += R"(,"created":")";
  out += created_.text(event.created);
  out += '"';
  if (event.start) {
    out += R"(,"start":")";
    out += start_.text(*event.start);
    out += '"';
  }
  if (event.end) {
    out += R"(,"end":")";
    out += (event.end == event.timestamp ? timestamp_ : end_).text(*event.end);
    out += '"';
  }
  if (event.duration_ns) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, *event.duration_ns).ptr;
    out += R"(,"duration":)";
    out += std::string_view(digits, end);
  }
  append_text(out, R"(,"original":)", event.original);
  out += after_event_;
  out += session_.fields();
  append_text(out, R"(,"log_time":)", event.log_time);
  append_text(out, R"(,"status":)", event.status);
  append_text(out, R"(,"duration":)", event.duration);
  append_text(out, R"(,"resource_id":)", event.resource_id);
  append_text(out, R"(,"extra":)", event.extra);
  out += R"(,"change":")";
  out += word(event.kind);
  out += '"';
  if (!event.fault.empty()) {
    out += R"(},"error":{"message":)";
    append_json_string(out, event.fault);
  }
  out += labels_;
}

namespace {

enum Text : std::size_t {
  kTimestamp,
  kMessage,
  kId,
  kHash,
  kKind,
  kCreated,
  kStart,
  kOriginal,
  kSource,
  kSourceId,
  kSessionId,
  kLogTime,
  kStatus,
  kDuration,
  kResourceId,
  kExtra,
  kChange,
  kTexts
};

constexpr std::array<JsonPath, kTexts> kPaths{{
    {"", "@timestamp"},
    {"", "message"},
    {"event", "id"},
    {"event", "hash"},
    {"event", "kind"},
    {"event", "created"},
    {"event", "start"},
    {"event", "original"},
    {"sessionlog", "source"},
    {"sessionlog", "source_id"},
    {"sessionlog", "session_id"},
    {"sessionlog", "log_time"},
    {"sessionlog", "status"},
    {"sessionlog", "duration"},
    {"sessionlog", "resource_id"},
    {"sessionlog", "extra"},
    {"sessionlog", "change"},
}};

// What an entry says, in the order in which it is missed least.
constexpr JsonPath kCutInTurn[] = {
    {"event", "original"},      {"", "message"},          {"error", "message"},       {"sessionlog", "resource_id"},
    {"sessionlog", "duration"}, {"sessionlog", "status"}, {"sessionlog", "log_time"},
};

// Ours has event.id (32 hex digits), event.hash (8 hex digits), sessionlog.session_id and sessionlog.source_id or,
// without that, sessionlog.source.
class EcsReader : public LineReader {
 public:
  std::optional<WrittenEvent> read(std::string_view line) override {
    if (!json_.read(line, kPaths, texts_)) return std::nullopt;
    if (!texts_[kSessionId] || !(texts_[kSourceId] || texts_[kSource])) return std::nullopt;
    WrittenEvent event;
    const std::string_view id = text(kId);
    const bool identified = id.size() == 32 && read_hex(id.substr(0, 16), event.entry.session_key) &&
                            read_hex(id.substr(16), event.entry.entry_key) && read_hex(text(kHash), event.entry.hash);
    if (!identified) return std::nullopt;
    event.entry.source_id = texts_[kSourceId] ? *texts_[kSourceId] : *texts_[kSource];
    event.entry.session_id = *texts_[kSessionId];
    event.entry.log_time = log_time();
    if (const auto created = parse_rfc3339(text(kCreated))) event.entry.read_at = created->instant;
    event.change = change_of(text(kChange));
    event.source_name = text(kSource);
    event.message = text(kMessage);
    event.log_time = text(kLogTime);
    event.status = text(kStatus);
    event.duration = text(kDuration);
    event.resource_id = text(kResourceId);
    event.extra = text(kExtra);
    event.original = text(kOriginal);
    event.created = text(kCreated);
    event.start = text(kStart);
    return event;
  }

  void shrink() override { json_.shrink(); }

 private:
  std::string_view text(Text which) const { return texts_[which].value_or(std::string_view()); }

  // Without a log time, and of an entry that could not be read, @timestamp is when it was read.
  std::optional<Instant> log_time() const {
    if (!texts_[kLogTime] || !texts_[kTimestamp] || texts_[kKind] != "event") return std::nullopt;
    const auto read = parse_rfc3339(*texts_[kTimestamp]);
    return read && read->zoned ? std::optional(read->instant) : std::nullopt;
  }

  JsonLine json_;
  std::array<std::optional<std::string_view>, kTexts> texts_;
};

}  // namespace

constinit const Format kEcsFormat{
    .name = "ecs",
    .content_type = "application/json",
    .opening = "{",
    .encoder = [](const SourceSettings& source, const SinkSettings&, std::string_view host, std::string_view version)
        -> std::unique_ptr<Encoder> { return std::make_unique<EcsEncoder>(source, host, version); },
    .reader = []() -> std::unique_ptr<LineReader> { return std::make_unique<EcsReader>(); },
    .cut =
        [](std::string_view line, std::size_t limit) {
          return cut_json(line, limit, {{"sessionlog", "extra"}, kCutInTurn, "sessionlog"});
        },
};

}  // namespace sessionlogd
