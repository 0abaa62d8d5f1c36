#include "sinks/formats/ocsf.h"

#include <fmt/format.h>

#include "config/url.h"
#include "core/base/hex.h"
#include "sinks/formats/event_words.h"
#include "sinks/formats/json_cut.h"
#include "sinks/formats/json_field.h"
#include "sinks/formats/json_reader.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kOpening = R"({"time":)";
constexpr std::string_view kWriter = "sessionlogd";

// Of the class's activities none is what an entry of a log is.
constexpr std::string_view kClass =
    R"(,"category_uid":1,"category_name":"System Activity","class_uid":1006,"class_name":"Scheduled Job Activity",)"
    R"("activity_id":99,"activity_name":"Log","type_uid":100699,"type_name":"Scheduled Job Activity: Other")";

std::string_view severity(Level level) {
  switch (level) {
    case Level::kError:
      return R"(,"severity_id":4,"severity":"High")";
    case Level::kWarning:
      return R"(,"severity_id":3,"severity":"Medium")";
    case Level::kNotice:
      return R"(,"severity_id":2,"severity":"Low")";
    case Level::kInfo:
      break;
  }
  return R"(,"severity_id":1,"severity":"Informational")";
}

// Its caption is the source's own word.
constexpr std::string_view kOtherStatus = R"(,"status_id":99,"status":)";

void append_status(const Event& event, LineBuffer& out) {
  if (event.outcome == Outcome::kSuccess) {
    out += R"(,"status_id":1,"status":"Success")";
  } else if (event.outcome == Outcome::kFailure) {
    out += R"(,"status_id":2,"status":"Failure")";
  } else if (event.status.empty()) {
    out += R"(,"status_id":0,"status":"Unknown")";
  } else {
    append_json_field(out, kOtherStatus, event.status);
  }
}

std::string device_of(const SourceSettings& source) {
  std::string device = R"(,"device":{"type_id":1,"type":"Server")";
  append_json_field(device, R"(,"name":)", source.name);
  if (!is_ipv6(source.host)) append_json_field(device, R"(,"hostname":)", source.host);
  if (is_ipv6(source.host) || is_ipv4(source.host)) append_json_field(device, R"(,"ip":)", source.host);
  return device;
}

std::string tags_of(const SourceSettings& source) {
  std::string tags;
  for (const auto& [name, text] : source.labels) {
    if (text.empty()) continue;
    tags += tags.empty() ? R"(,"tags":[{"name":)" : R"(,{"name":)";
    append_json_string(tags, name);
    append_json_field(tags, R"(,"value":)", text, "}");
  }
  if (!tags.empty()) tags += ']';
  return tags;
}

class OcsfEncoder : public Encoder {
 public:
  OcsfEncoder(const SourceSettings& source, std::string_view host, std::string_view version) {
    device_ = device_of(source) + R"(},"metadata":{"version":"1.7.0","profiles":["datetime"],"uid":")";

    append_json_field(log_, R"(,"log_name":)", source.dialect->dataset);
    append_json_field(log_, R"(,"log_provider":)", kWriter);
    append_json_field(log_, R"(,"log_version":)", version);
    log_ += R"(,"logged_time":)";

    product_ = R"(","product":{"vendor_name":)";
    append_json_string(product_, source.dialect->vendor);
    append_json_field(product_, R"(,"name":)", source.dialect->product);
    product_ += '}';
    product_ += tags_of(source);
    product_ += R"(},"unmapped":{"event_hash":")";

    append_json_field(source_, R"(,"source":)", source.name);
    if (source.id != source.name) append_json_field(source_, R"(,"source_id":)", source.id);

    append_json_field(agent_, R"(,"agent_name":)", host);
    agent_ += "}}\n";
  }

  void append(const Event& event, LineBuffer& out) override {
    know_session(*event.session);
    out += kOpening;
    append_time(event.timestamp, R"(,"time_dt":")", time_, out);
    out += kClass;
    out += severity(event.level);
    append_status(event, out);
    append_json_field(out, R"(,"status_code":)", event.status);
    append_json_field(out, R"(,"message":)", event.message.empty() ? event.fault : event.message);
    append_json_field(out, R"(,"status_detail":)", event.fault);
    append_span(event, out);
    append_json_field(out, R"(,"raw_data":)", event.original);
    out += job_;
    out += device_;
    append_metadata(event, out);
    append_unmapped(event, out);
  }

 private:
  // A time has milliseconds, and beside them all its digits.
  struct Times {
    WrittenTime milliseconds{append_milliseconds}, digits;
  };

  static void append_time(Instant at, std::string_view name_of_digits, Times& times, LineBuffer& out) {
    out += times.milliseconds.text(at);
    out += name_of_digits;
    out += times.digits.text(at);
    out += '"';
  }

  void append_span(const Event& event, LineBuffer& out) {
    if (event.start) {
      out += R"(,"start_time":)";
      append_time(*event.start, R"(,"start_time_dt":")", start_, out);
    }
    if (event.end) {
      out += R"(,"end_time":)";
      append_time(*event.end, R"(,"end_time_dt":")", event.end == event.timestamp ? time_ : end_, out);
    }
    if (event.duration_ns) {
      out += R"(,"duration":)";
      append_number(out, to_milliseconds(*event.duration_ns));
    }
  }

  void append_metadata(const Event& event, LineBuffer& out) {
    append_hex(out, event.session_key);
    append_hex(out, event.entry_key);
    out += '"';
    out += correlation_;
    append_json_field(out, R"(,"original_time":)", event.log_time);
    out += R"(,"log_level":")";
    out += word(event.level);
    out += '"';
    out += log_;
    out += logged_.milliseconds.text(event.created);
    out += R"(,"logged_time_dt":")";
    out += logged_.digits.text(event.created);
    out += product_;
  }

  void append_unmapped(const Event& event, LineBuffer& out) {
    append_hex(out, event.hash);
    out += R"(","change":")";
    out += word(event.kind);
    out += event.kind == EventKind::kError ? R"(","kind":"pipeline_error")" : R"(","kind":"event")";
    out += source_;
    out += session_;
    append_json_field(out, R"(,"resource_id":)", event.resource_id);
    append_json_field(out, R"(,"duration":)", event.duration);
    append_json_field(out, R"(,"extra":)", event.extra);
    out += agent_;
  }

  // A job must have a name.
  void know_session(const SessionInfo& session) {
    if (!known_.changes_to(session)) return;
    job_ = R"(,"job":{"name":)";
    append_json_string(job_, !session.name.empty() ? session.name : !session.type.empty() ? session.type : session.id);
    append_json_field(job_, R"(,"desc":)", session.type);
    job_ += '}';
    correlation_.clear();
    append_json_field(correlation_, R"(,"correlation_uid":)", session.id);
    session_.clear();
    append_session_fields(session_, session);
  }

  std::string device_;   // to metadata.uid
  std::string log_;      // from log_name to logged_time
  std::string product_;  // from there to unmapped.event_hash
  std::string source_;
  std::string agent_;  // to the end of the line
  KeptSession known_;
  std::string job_, correlation_, session_;  // of the session of the event before
  Times time_, start_, end_, logged_;
};

JsonPlaces places() {
  using enum JsonText;
  JsonPlaces at;
  at[JsonText::kWriter] = "metadata/log_provider";
  at[kTime] = "time_dt";
  at[kMessage] = "message";
  at[kFault] = "status_detail";
  at[kStart] = "start_time_dt";
  at[kStatus] = "status_code";
  at[kOriginal] = "raw_data";
  at[kId] = "metadata/uid";
  at[kLogTime] = "metadata/original_time";
  at[kCreated] = "metadata/logged_time_dt";
  at[kHash] = "unmapped/event_hash";
  at[kChange] = "unmapped/change";
  at[kKind] = "unmapped/kind";
  at[kSourceName] = "unmapped/source";
  at[kSourceId] = "unmapped/source_id";
  at[kSessionId] = "unmapped/session_id";
  at[kResourceId] = "unmapped/resource_id";
  at[kDuration] = "unmapped/duration";
  at[kExtra] = "unmapped/extra";
  return at;
}

std::string cut_ocsf(std::string_view line, std::size_t limit) {
  JsonCut how{.whole = "unmapped/extra",
              .texts = {"raw_data", "message", "status_detail", "unmapped/resource_id", "unmapped/duration",
                        "status_code", "metadata/original_time"},
              .marks = {{"metadata", R"("is_truncated":true,)"},
                        {"unmapped", fmt::format(R"("truncated":"{}",)", line.size())}}};
  // The source's own word stands twice. No text has quotes without a backslash, so this is no text.
  if (line.find(kOtherStatus) != line.npos) how.texts.emplace_back("status");
  return cut_json(line, limit, how);
}

}  // namespace

constinit const Format kOcsfFormat{
    .name = "ocsf",
    .content_type = "application/json",
    .opening = kOpening,
    .encoder = [](const SourceSettings& source, const SinkSettings&, std::string_view host, std::string_view version)
        -> std::unique_ptr<Encoder> { return std::make_unique<OcsfEncoder>(source, host, version); },
    .reader = []() -> std::unique_ptr<LineReader> { return std::make_unique<JsonReader>(places(), kWriter); },
    .cut = cut_ocsf,
};

}  // namespace sessionlogd
