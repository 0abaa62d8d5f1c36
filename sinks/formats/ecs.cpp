#include "sinks/formats/ecs.h"

#include <fmt/format.h>

#include "core/base/hex.h"
#include "core/base/json_text.h"
#include "core/base/line_buffer.h"
#include "sinks/formats/event_words.h"
#include "sinks/formats/json_cut.h"
#include "sinks/formats/json_field.h"
#include "sinks/formats/json_reader.h"

namespace sessionlogd {

void EcsEncoder::WrittenSession::of(const SessionInfo& session) {
  if (!kept_.changes_to(session)) return;
  action_.clear();
  append_json_field(action_, R"(,"action":)", session.type);
  fields_.clear();
  append_session_fields(fields_, session);
}

EcsEncoder::EcsEncoder(const SourceSettings& source, std::string_view agent_name, std::string_view agent_version) {
  before_event_ = R"("},"agent":{"type":"sessionlogd")";
  append_json_field(before_event_, R"(,"version":)", agent_version);
  append_json_field(before_event_, R"(,"name":)", agent_name);
  before_event_ += R"(},"event":{"id":")";

  append_json_field(event_origin_, R"(,"module":)", source.dialect->module);
  append_json_field(event_origin_, R"(,"dataset":)", source.dialect->dataset);

  after_event_ = R"(},"observer":{"vendor":)";
  append_json_string(after_event_, source.dialect->vendor);
  append_json_field(after_event_, R"(,"product":)", source.dialect->product);
  append_json_field(after_event_, R"(,"name":)", source.name);
  append_json_field(after_event_, R"(,"hostname":)", source.host);
  after_event_ += R"(},"sessionlog":{"record":"entry","source":)";
  append_json_string(after_event_, source.name);
  // Recovery finds the state by the id; it stands here only where it differs.
  if (source.id != source.name) append_json_field(after_event_, R"(,"source_id":)", source.id);

  if (!source.labels.empty()) labels_ = R"(},"labels":{)" + json_members(source.labels);
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
    out += R"(,"duration":)";
    append_number(out, *event.duration_ns);
  }
  append_json_field(out, R"(,"original":)", event.original);
  out += after_event_;
  out += session_.fields();
  append_json_field(out, R"(,"log_time":)", event.log_time);
  append_json_field(out, R"(,"status":)", event.status);
  append_json_field(out, R"(,"duration":)", event.duration);
  append_json_field(out, R"(,"resource_id":)", event.resource_id);
  append_json_field(out, R"(,"extra":)", event.extra);
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

// Ours has event.id (32 hex digits), event.hash (8 hex digits), sessionlog.session_id and sessionlog.source_id or,
// without that, sessionlog.source.
JsonPlaces places() {
  using enum JsonText;
  JsonPlaces at;
  at[kTime] = "@timestamp";
  at[kMessage] = "message";
  at[kId] = "event/id";
  at[kHash] = "event/hash";
  at[kKind] = "event/kind";
  at[kCreated] = "event/created";
  at[kStart] = "event/start";
  at[kOriginal] = "event/original";
  at[kSourceName] = "sessionlog/source";
  at[kSourceId] = "sessionlog/source_id";
  at[kSessionId] = "sessionlog/session_id";
  at[kLogTime] = "sessionlog/log_time";
  at[kStatus] = "sessionlog/status";
  at[kDuration] = "sessionlog/duration";
  at[kResourceId] = "sessionlog/resource_id";
  at[kExtra] = "sessionlog/extra";
  at[kChange] = "sessionlog/change";
  return at;
}

std::string cut(std::string_view line, std::size_t limit) {
  return cut_json(line, limit,
                  {.whole = "sessionlog/extra",
                   .texts = {"event/original", "message", "error/message", "sessionlog/resource_id",
                             "sessionlog/duration", "sessionlog/status", "sessionlog/log_time"},
                   .marks = {{"sessionlog", fmt::format(R"("truncated":{},)", line.size())}}});
}

}  // namespace

constinit const Format kEcsFormat{
    .name = "ecs",
    .content_type = "application/json",
    .opening = R"({"@timestamp":")",
    .encoder = [](const SourceSettings& source, const SinkSettings&, std::string_view host, std::string_view version)
        -> std::unique_ptr<Encoder> { return std::make_unique<EcsEncoder>(source, host, version); },
    .reader = []() -> std::unique_ptr<LineReader> { return std::make_unique<JsonReader>(places(), ""); },
    .cut = cut,
};

}  // namespace sessionlogd
