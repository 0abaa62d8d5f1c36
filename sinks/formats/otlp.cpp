#include "sinks/formats/otlp.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "core/base/hex.h"
#include "sinks/formats/event_words.h"
#include "sinks/formats/json_cut.h"
#include "sinks/formats/json_field.h"
#include "sinks/formats/json_reader.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kOpening = R"({"resourceLogs":[{"resource":{"attributes":[)";
constexpr std::string_view kWriter = "sessionlogd";
constexpr std::int64_t kNanos = 1'000'000'000;

// An attribute that is a text, up to the text. The first of a list goes without its comma.
class Attribute {
 public:
  constexpr explicit Attribute(std::string_view key, std::string_view type = "stringValue") : key_(key) {
    for (const std::string_view part :
         {std::string_view(R"(,{"key":")"), key, std::string_view(R"(","value":{")"), type, std::string_view(R"(":)")})
      size_ = static_cast<std::size_t>(std::ranges::copy(part, text_ + size_).out - text_);
  }
  constexpr operator std::string_view() const { return {text_, size_}; }
  std::string_view key() const { return key_; }

 private:
  std::string_view key_;
  char text_[96] = {};
  std::size_t size_ = 0;
};
constexpr std::string_view kEndOfAttribute = "}}";

constexpr Attribute kServiceName("service.name"), kServiceId("service.instance.id"), kHostName("host.name"),
    kVendor("observer.vendor"), kProduct("observer.product"), kSource("sessionlog.source");

constexpr Attribute kId("event.id"), kHash("event.hash"), kKind("event.kind"), kOutcome("event.outcome"),
    kStart("event.start"), kEnd("event.end"), kDurationNs("event.duration", "intValue"),
    kSessionId("sessionlog.session_id"), kSessionType("sessionlog.session_type"),
    kSessionName("sessionlog.session_name"), kParent("sessionlog.parent_session_id"),
    kTimestamp("sessionlog.timestamp"), kLogTime("sessionlog.log_time"), kStatus("sessionlog.status"),
    kDuration("sessionlog.duration"), kResourceId("sessionlog.resource_id"), kExtra("sessionlog.extra"),
    kChange("sessionlog.change"), kFault("error.message"), kOriginal("log.record.original");

// Nothing when there is no text.
template <class Text>
void append_attribute(Text& out, std::string_view attribute, std::string_view text) {
  append_json_field(out, attribute, text, kEndOfAttribute);
}

// Of a text that needs no escapes.
void append_plain(LineBuffer& out, std::string_view attribute, std::string_view text) {
  out += attribute;
  out += '"';
  out += text;
  out += '"';
  out += kEndOfAttribute;
}

// The protocol counts from 1970 to 2554, and 0 is no time: it is the default, which is not written.
bool has_unix_nanos(Instant at) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  const Instant last{static_cast<std::int64_t>(kMost / kNanos), static_cast<std::uint32_t>(kMost % kNanos)};
  return at > Instant{} && at <= last;
}

void append_unix_nanos(std::string& out, Instant at) {
  if (!has_unix_nanos(at)) return;
  const std::uint64_t count = static_cast<std::uint64_t>(at.seconds) * kNanos + at.nanos;
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, count).ptr);
}

std::optional<Instant> read_unix_nanos(std::string_view digits) {
  std::uint64_t count = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, count);
  if (digits.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return Instant{static_cast<std::int64_t>(count / kNanos), static_cast<std::uint32_t>(count % kNanos)};
}

int severity(Level level) {
  switch (level) {
    case Level::kError:
      return 17;
    case Level::kWarning:
      return 13;
    case Level::kNotice:
      return 10;
    case Level::kInfo:
      break;
  }
  return 9;
}

std::string severity_and_name(Level level, const Dialect& dialect) {
  std::string text = fmt::format(R"("severityNumber":{},"severityText":"{}")", severity(level), word(level));
  append_json_field(text, R"(,"eventName":)", dialect.dataset);
  return text;
}

class OtlpEncoder : public Encoder {
 public:
  OtlpEncoder(const SourceSettings& source, std::string_view version)
      : levels_([&](Level level) { return severity_and_name(level, *source.dialect); }) {
    std::string resource;
    append_attribute(resource, kServiceName, source.dialect->name);
    append_attribute(resource, kServiceId, source.id);
    append_attribute(resource, kHostName, source.host);
    append_attribute(resource, kVendor, source.dialect->vendor);
    append_attribute(resource, kProduct, source.dialect->product);
    append_attribute(resource, kSource, source.name);
    for (const auto& [name, text] : source.labels) {
      append_attribute(resource, fmt::format(R"(,{{"key":"labels.{}","value":{{"stringValue":)", name), text);
    }
    resource_ = std::string(kOpening) + resource.substr(1) +
                fmt::format(R"(]}},"scopeLogs":[{{"scope":{{"name":"{}")", kWriter);
    append_json_field(resource_, R"(,"version":)", version);
    resource_ += R"(},"logRecords":[{)";
  }

  void append(const Event& event, LineBuffer& out) override {
    know_session(*event.session);
    out += resource_;
    append_times(event, out);
    out += levels_.of(event.level);
    append_json_field(out, R"(,"body":{"stringValue":)", event.message.empty() ? event.fault : event.message, "}");
    out += R"(,"attributes":[)";
    append_identity(event, out);
    append_plain(out, kOutcome, word(event.outcome));
    if (event.start) append_plain(out, kStart, start_.text(*event.start));
    if (event.end) append_plain(out, kEnd, end_.text(*event.end));
    if (event.duration_ns) {
      out += kDurationNs;
      out += '"';
      append_number(out, *event.duration_ns);
      out += '"';
      out += kEndOfAttribute;
    }
    out += session_;
    if (!has_unix_nanos(event.timestamp)) append_plain(out, kTimestamp, timestamp_.text(event.timestamp));
    append_attribute(out, kLogTime, event.log_time);
    append_attribute(out, kStatus, event.status);
    append_attribute(out, kDuration, event.duration);
    append_attribute(out, kResourceId, event.resource_id);
    append_attribute(out, kExtra, event.extra);
    append_plain(out, kChange, word(event.kind));
    append_attribute(out, kFault, event.fault);
    append_attribute(out, kOriginal, event.original);
    out += "]}]}]}]}\n";
  }

 private:
  void append_times(const Event& event, LineBuffer& out) {
    append_time(R"("timeUnixNano":")", time_.text(event.timestamp), out);
    append_time(R"("observedTimeUnixNano":")", created_.text(event.created), out);
  }

  static void append_time(std::string_view name, std::string_view digits, LineBuffer& out) {
    if (digits.empty()) return;
    out += name;
    out += digits;
    out += "\",";
  }

  static void append_identity(const Event& event, LineBuffer& out) {
    out += std::string_view(kId).substr(1);
    out += '"';
    append_hex(out, event.session_key);
    append_hex(out, event.entry_key);
    out += '"';
    out += kEndOfAttribute;
    out += kHash;
    out += '"';
    append_hex(out, event.hash);
    out += '"';
    out += kEndOfAttribute;
    append_plain(out, kKind, event.kind == EventKind::kError ? "pipeline_error" : "event");
  }

  void know_session(const SessionInfo& session) {
    if (!known_.changes_to(session)) return;
    session_.clear();
    append_attribute(session_, kSessionId, session.id);
    append_attribute(session_, kSessionType, session.type);
    append_attribute(session_, kSessionName, session.name);
    append_attribute(session_, kParent, session.parent);
  }

  std::string resource_;  // up to the record
  TextsPer<Level> levels_;
  KeptSession known_;
  std::string session_;  // of the event before
  WrittenTime time_{append_unix_nanos}, created_{append_unix_nanos};
  WrittenTime timestamp_, start_, end_;
};

constexpr std::string_view kResource = "resourceLogs/[]/resource", kScope = "resourceLogs/[]/scopeLogs/[]",
                           kRecord = "resourceLogs/[]/scopeLogs/[]/logRecords/[]";

JsonPath in(std::string_view holder, std::string_view name) { return fmt::format("{}/{}", holder, name); }

JsonPath text_of(const Attribute& attribute, std::string_view holder = kRecord) {
  return fmt::format("{}/attributes/[{}]/stringValue", holder, attribute.key());
}

JsonPlaces places() {
  JsonPlaces at;
  at[JsonText::kWriter] = in(kScope, "scope/name");
  at[JsonText::kSourceId] = text_of(kServiceId, kResource);
  at[JsonText::kSourceName] = text_of(kSource, kResource);
  at[JsonText::kTime] = in(kRecord, "timeUnixNano");
  at[JsonText::kExactTime] = text_of(kTimestamp);
  at[JsonText::kCreated] = in(kRecord, "observedTimeUnixNano");
  at[JsonText::kMessage] = in(kRecord, "body/stringValue");
  at[JsonText::kId] = text_of(kId);
  at[JsonText::kHash] = text_of(kHash);
  at[JsonText::kKind] = text_of(kKind);
  at[JsonText::kStart] = text_of(kStart);
  at[JsonText::kSessionId] = text_of(kSessionId);
  at[JsonText::kLogTime] = text_of(kLogTime);
  at[JsonText::kStatus] = text_of(kStatus);
  at[JsonText::kDuration] = text_of(kDuration);
  at[JsonText::kResourceId] = text_of(kResourceId);
  at[JsonText::kExtra] = text_of(kExtra);
  at[JsonText::kChange] = text_of(kChange);
  at[JsonText::kFault] = text_of(kFault);
  at[JsonText::kOriginal] = text_of(kOriginal);
  return at;
}

class OtlpReader : public JsonReader {
 public:
  OtlpReader() : JsonReader(places(), kWriter) {}

 private:
  std::optional<Instant> time() const override {
    const std::string_view exact = text(JsonText::kExactTime);
    return exact.empty() ? read_unix_nanos(text(JsonText::kTime)) : read_time(exact);
  }

  std::string_view created() override {
    created_.clear();
    if (const auto at = read_unix_nanos(text(JsonText::kCreated))) append_rfc3339(created_, *at);
    return created_;
  }

  std::string created_;
};

std::string cut_otlp(std::string_view line, std::size_t limit) {
  const JsonPath attributes = in(kRecord, "attributes");
  const std::string mark = fmt::format(R"({{"key":"sessionlog.truncated","value":{{"intValue":"{}"}}}},)", line.size());
  return cut_json(line, limit,
                  {.whole = in(attributes, "[sessionlog.extra]"),
                   .texts = {text_of(kOriginal), in(kRecord, "body/stringValue"), text_of(kFault), text_of(kResourceId),
                             text_of(kDuration), text_of(kStatus), text_of(kLogTime)},
                   .marks = {{attributes, mark}}});
}

}  // namespace

constinit const Format kOtlpFormat{
    .name = "otlp",
    .content_type = "application/json",
    .opening = kOpening,
    .encoder = [](const SourceSettings& source, const SinkSettings&, std::string_view, std::string_view version)
        -> std::unique_ptr<Encoder> { return std::make_unique<OtlpEncoder>(source, version); },
    .reader = []() -> std::unique_ptr<LineReader> { return std::make_unique<OtlpReader>(); },
    .cut = cut_otlp,
};

}  // namespace sessionlogd
