#include <simdjson.h>

#include <utility>

#include "bench/fleet/places.h"

namespace fleet {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

std::string_view text_at(const element& of, std::string_view pointer) {
  std::string_view text;
  return of.at_pointer(pointer).get_string().get(text) == simdjson::SUCCESS ? text : std::string_view();
}

bool parse_object(simdjson::dom::parser& parser, std::string_view line, element& into) {
  return parser.parse(line.data(), line.size()).get(into) == simdjson::SUCCESS && into.is_object();
}

std::optional<Written> if_says_whose(std::optional<Written> written) {
  const bool says = written && !written->source.empty() && !written->session.empty() && !written->change.empty();
  return says ? std::move(written) : std::nullopt;
}

// Names are JSON pointers.
std::optional<Written> read_object(std::string_view line, const Places& places) {
  thread_local simdjson::dom::parser parser;
  element whole;
  if (!parse_object(parser, line, whole)) return std::nullopt;
  return if_says_whose(read_places(places, [&](std::string_view pointer) { return text_at(whole, pointer); }));
}

constexpr Place kEcsFacts[] = {{&Written::source, "/sessionlog/source"},
                               {&Written::session, "/sessionlog/session_id"},
                               {&Written::change, "/sessionlog/change"},
                               {&Written::message, "/message"},
                               {&Written::original, "/event/original"},
                               {&Written::status, "/sessionlog/status"},
                               {&Written::resource, "/sessionlog/resource_id"},
                               {&Written::extra, "/sessionlog/extra"},
                               {&Written::log_time, "/sessionlog/log_time"},
                               {&Written::duration, "/sessionlog/duration"},
                               {&Written::start, "/event/start"}};

std::optional<Written> read_ecs(std::string_view line) {
  return read_object(line, {"/event/id", "/event/hash", kEcsFacts});
}

constexpr Place kOcsfFacts[] = {{&Written::source, "/unmapped/source"},
                                {&Written::session, "/unmapped/session_id"},
                                {&Written::change, "/unmapped/change"},
                                {&Written::message, "/message"},
                                {&Written::original, "/raw_data"},
                                {&Written::status, "/status_code"},
                                {&Written::resource, "/unmapped/resource_id"},
                                {&Written::extra, "/unmapped/extra"},
                                {&Written::log_time, "/metadata/original_time"},
                                {&Written::duration, "/unmapped/duration"},
                                {&Written::start, "/start_time_dt"}};

std::optional<Written> read_ocsf(std::string_view line) {
  return read_object(line, {"/metadata/uid", "/unmapped/event_hash", kOcsfFacts});
}

// The only element of a list.
bool only(const element& of, std::string_view list, element& into) {
  array all;
  return of.at_pointer(list).get_array().get(all) == simdjson::SUCCESS && all.size() == 1 &&
         all.at(0).get(into) == simdjson::SUCCESS;
}

// The text that an attribute has; "" where none has the key.
std::string_view attribute(const element& of, std::string_view key) {
  array all;
  if (of.at_pointer("/attributes").get_array().get(all) != simdjson::SUCCESS) return {};
  for (const element each : all) {
    if (text_at(each, "/key") == key) return text_at(each, "/value/stringValue");
  }
  return {};
}

// Names are keys of the record's attributes; but the source's, which is one of the resource's, and the body.
constexpr std::string_view kOtlpSource = "sessionlog.source", kOtlpBody = "/body/stringValue";
constexpr Place kOtlpFacts[] = {{&Written::source, kOtlpSource},
                                {&Written::session, "sessionlog.session_id"},
                                {&Written::change, "sessionlog.change"},
                                {&Written::message, kOtlpBody},
                                {&Written::original, "log.record.original"},
                                {&Written::status, "sessionlog.status"},
                                {&Written::resource, "sessionlog.resource_id"},
                                {&Written::extra, "sessionlog.extra"},
                                {&Written::log_time, "sessionlog.log_time"},
                                {&Written::duration, "sessionlog.duration"},
                                {&Written::start, "event.start"}};

std::optional<Written> read_otlp(std::string_view line) {
  thread_local simdjson::dom::parser parser;
  element whole, resource_logs, scope_logs, record, resource;
  const bool is_one = parse_object(parser, line, whole) && only(whole, "/resourceLogs", resource_logs) &&
                      only(resource_logs, "/scopeLogs", scope_logs) && only(scope_logs, "/logRecords", record) &&
                      resource_logs.at_pointer("/resource").get(resource) == simdjson::SUCCESS;
  if (!is_one) return std::nullopt;
  return if_says_whose(read_places({"event.id", "event.hash", kOtlpFacts}, [&](std::string_view name) {
    return name == kOtlpBody ? text_at(record, name) : attribute(name == kOtlpSource ? resource : record, name);
  }));
}

}  // namespace

const LineFormat kEcsLines{"ecs", read_ecs};
const LineFormat kOcsfLines{"ocsf", read_ocsf};
const LineFormat kOtlpLines{"otlp", read_otlp};

}  // namespace fleet
