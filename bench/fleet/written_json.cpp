#include <simdjson.h>

#include <initializer_list>
#include <utility>

#include "bench/fleet/written.h"

namespace fleet {

namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// Where a fact stands: a JSON pointer.
struct Place {
  std::string Written::*fact;
  std::string_view pointer;
};

std::string_view text_at(const element& of, std::string_view pointer) {
  std::string_view text;
  return of.at_pointer(pointer).get_string().get(text) == simdjson::SUCCESS ? text : std::string_view();
}

bool parse_object(simdjson::dom::parser& parser, std::string_view line, element& into) {
  return parser.parse(line.data(), line.size()).get(into) == simdjson::SUCCESS && into.is_object();
}

bool says_whose(const Written& written) {
  return !written.source.empty() && !written.session.empty() && !written.change.empty();
}

std::optional<Written> read_places(std::string_view line, std::initializer_list<Place> places, std::string_view id,
                                   std::string_view hash) {
  thread_local simdjson::dom::parser parser;
  element whole;
  Written written;
  if (!parse_object(parser, line, whole) || !take_identity(text_at(whole, id), text_at(whole, hash), written))
    return std::nullopt;
  for (const auto& [fact, pointer] : places) written.*fact = text_at(whole, pointer);
  return says_whose(written) ? std::optional(std::move(written)) : std::nullopt;
}

std::optional<Written> read_ecs(std::string_view line) {
  return read_places(line,
                     {{&Written::source, "/sessionlog/source"},
                      {&Written::session, "/sessionlog/session_id"},
                      {&Written::change, "/sessionlog/change"},
                      {&Written::message, "/message"},
                      {&Written::original, "/event/original"},
                      {&Written::status, "/sessionlog/status"},
                      {&Written::resource, "/sessionlog/resource_id"},
                      {&Written::extra, "/sessionlog/extra"},
                      {&Written::log_time, "/sessionlog/log_time"},
                      {&Written::duration, "/sessionlog/duration"},
                      {&Written::start, "/event/start"}},
                     "/event/id", "/event/hash");
}

std::optional<Written> read_ocsf(std::string_view line) {
  return read_places(line,
                     {{&Written::source, "/unmapped/source"},
                      {&Written::session, "/unmapped/session_id"},
                      {&Written::change, "/unmapped/change"},
                      {&Written::message, "/message"},
                      {&Written::original, "/raw_data"},
                      {&Written::status, "/status_code"},
                      {&Written::resource, "/unmapped/resource_id"},
                      {&Written::extra, "/unmapped/extra"},
                      {&Written::log_time, "/metadata/original_time"},
                      {&Written::duration, "/unmapped/duration"},
                      {&Written::start, "/start_time_dt"}},
                     "/metadata/uid", "/unmapped/event_hash");
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

std::optional<Written> read_otlp(std::string_view line) {
  thread_local simdjson::dom::parser parser;
  element whole, resource_logs, scope_logs, record, resource;
  const bool is_one = parse_object(parser, line, whole) && only(whole, "/resourceLogs", resource_logs) &&
                      only(resource_logs, "/scopeLogs", scope_logs) && only(scope_logs, "/logRecords", record) &&
                      resource_logs.at_pointer("/resource").get(resource) == simdjson::SUCCESS;
  Written written;
  if (!is_one || !take_identity(attribute(record, "event.id"), attribute(record, "event.hash"), written))
    return std::nullopt;
  written.source = attribute(resource, "sessionlog.source");
  written.session = attribute(record, "sessionlog.session_id");
  written.change = attribute(record, "sessionlog.change");
  written.message = text_at(record, "/body/stringValue");
  written.original = attribute(record, "log.record.original");
  written.status = attribute(record, "sessionlog.status");
  written.resource = attribute(record, "sessionlog.resource_id");
  written.extra = attribute(record, "sessionlog.extra");
  written.log_time = attribute(record, "sessionlog.log_time");
  written.duration = attribute(record, "sessionlog.duration");
  written.start = attribute(record, "event.start");
  return says_whose(written) ? std::optional(std::move(written)) : std::nullopt;
}

}  // namespace

const LineFormat kEcsLines{"ecs", read_ecs};
const LineFormat kOcsfLines{"ocsf", read_ocsf};
const LineFormat kOtlpLines{"otlp", read_otlp};

}  // namespace fleet
