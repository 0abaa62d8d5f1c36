#include "tests/bench/honest_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <iterator>

#include "bench/fleet/http.h"
#include "bench/fleet/json_text.h"
#include "bench/fleet/script.h"
#include "bench/fleet/spoil.h"

namespace fleet {

namespace {

using simdjson::dom::element;

std::string hex_hash(const std::string& of) { return fmt::format("{:016x}", std::hash<std::string>()(of)); }

// A scalar as an event shows it: strings unescaped, numbers as written. False: neither.
bool scalar(const element& entry, const char* key, std::string& into) {
  element value;
  if (entry[key].get(value) != simdjson::SUCCESS || value.is_null()) return true;
  if (value.is_string()) return into = std::string(value.get_string().value()), true;
  if (value.is_int64()) return into = std::to_string(value.get_int64().value()), true;
  return false;
}

// While an entry runs the time that moves (the other one tells entries apart) and its duration tick; digits below a
// microsecond come and go.
std::string news(const std::string& status, std::string_view moves, const std::string& duration) {
  if (!is_final_status(status)) return status;
  return fmt::format("{} {} {}", status, parse_time(moves).value_or(0) / kMicrosecond, duration);
}

bool is_string_or_absent(const simdjson::simdjson_result<element>& field) {
  return field.error() == simdjson::NO_SUCH_FIELD || field.is_string();
}

unsigned hex4(std::string_view text) {
  return static_cast<unsigned>(std::stoul(std::string(text.substr(0, 4)), nullptr, 16));
}

}  // namespace

std::string without_lone_escapes(std::string_view json) {
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '\\') {
      out += json[i];
      continue;
    }
    const bool unicode = json[i + 1] == 'u';
    const unsigned unit = unicode ? hex4(json.substr(i + 2)) : 0;
    std::size_t length = unicode ? 6 : 2;
    if (unit >= 0xd800 && unit < 0xdc00 && json.substr(i + 6, 2) == "\\u" &&
        (hex4(json.substr(i + 8)) & 0xfc00) == 0xdc00) {
      length = 12;
    } else if (unit >= 0xd800 && unit < 0xe000) {
      out += "\\ufffd";
      i += 5;
      continue;
    }
    out += json.substr(i, length);
    i += length - 1;
  }
  return out;
}

namespace {

// The parts between commas of a JSON array or object, up to its end; `body` begins behind its opening bracket.
std::vector<std::string_view> parts_of(std::string_view body) {
  std::vector<std::string_view> parts;
  int depth = 0;
  bool in_string = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const char c = body[i];
    const bool closes = c == '}' || c == ']';
    if (depth == 0 && !in_string && (c == ',' || closes)) {
      if (i > begin) parts.push_back(body.substr(begin, i - begin));
      if (closes) break;
      begin = i + 1;
      continue;
    }
    if (in_string && c == '\\') ++i;
    if (c == '"') in_string = !in_string;
    if (!in_string && (c == '{' || c == '[')) ++depth;
    if (!in_string && closes) --depth;
  }
  return parts;
}

bool is_documented(std::string_view member) {
  constexpr std::string_view kNames[] = {R"("logTime":)",           R"("status":)",
                                         R"("message":)",           R"("executionStartTime":)",
                                         R"("executionDuration":)", R"("resourceHashId":)"};
  return std::any_of(std::begin(kNames), std::end(kNames), [&](auto name) { return member.starts_with(name); });
}

}  // namespace

std::pair<std::string, std::string> split_entry(const std::string& raw) {
  if (!raw.starts_with('{')) return {raw, ""};
  std::string known, extra;
  for (const std::string_view member : parts_of(std::string_view(raw).substr(1))) {
    std::string& to = is_documented(member) ? known : extra;
    if (!to.empty()) to += ',';
    to += member;
  }
  return {'{' + known + '}', extra.empty() ? "" : '{' + extra + '}'};
}

std::vector<std::string> raw_elements(std::string_view body) {
  const std::size_t start = body.find("\"log\":[");
  if (start == std::string_view::npos) return {};
  const std::vector<std::string_view> parts = parts_of(body.substr(start + 7));
  return {parts.begin(), parts.end()};
}

HonestReader::HonestReader(Appliance& appliance, Dialect dialect, std::string source, std::string password,
                           Belief belief)
    : appliance_(appliance),
      dialect_(dialect),
      source_(std::move(source)),
      password_(std::move(password)),
      belief_(belief) {}

void HonestReader::poll(Nanos at) {
  if (appliance_.is_down(at) || (token_.empty() && !log_in(at))) return;
  std::map<std::string, std::string> sessions;
  if (!list(at, sessions)) return;
  const bool aws = dialect_ == Dialect::aws;
  const std::string base = aws ? "/api/v1/sessions/" : "/api/v8/jobSessions/";
  for (const auto& [id, start] : sessions) {
    std::string body;
    const bool whole = ask("GET", base + id + "/log", "", "", at, body);
    if (whole && body.starts_with(fmt::format(R"({{"{}":"{}")", aws ? "sessionId" : "jobSessionId", id))) {
      read_log(id, start, body);
    }
  }
}

// False: no good response. Responses that the connection would break count as broken.
bool HonestReader::ask(std::string_view method, std::string path, std::string_view query, std::string_view form,
                       Nanos at, std::string& body) {
  const std::string authorization = "Bearer " + token_;
  Request request;
  request.method = method;
  request.path = path;
  request.query = query;
  request.body = form;
  request.authorization = authorization;
  request.api_version = "1.4-rev0";
  request.arrived = at;
  const Response response = appliance_.response(request, at);
  const bool whole = is_readable(response.fault);
  appliance_.finished(response, {whole, at, at});
  if (response.status == 401) token_.clear();
  if (!whole || response.status != 200 || response.headers.find("Content-Encoding") != std::string::npos) return false;
  if (!response.body->starts_with('{') || !response.body->ends_with('}')) return false;
  body = as_owed(without_lone_escapes(*response.body));
  return true;
}

bool HonestReader::log_in(Nanos at) {
  const std::string form = "grant_type=password&username=collector&password=" + password_;
  std::string body;
  if (!ask("POST", dialect_ == Dialect::aws ? "/api/v1/token" : "/api/oauth2/token", "", form, at, body)) return false;
  token_ = std::string(parser_.parse(body)["access_token"].get_string().value());
  return true;
}

bool HonestReader::list(Nanos at, std::map<std::string, std::string>& sessions) {
  constexpr std::size_t kPage = 7;
  for (std::size_t offset = 0;;) {
    const std::string query =
        fmt::format("Offset={}&Limit={}{}", offset, kPage, dialect_ == Dialect::aws ? "&Sort=startTimeAsc" : "");
    std::string body;
    if (!ask("GET", dialect_ == Dialect::aws ? "/api/v1/sessions" : "/api/v8/jobSessions", query, "", at, body))
      return false;
    simdjson::dom::array results;
    if (parser_.parse(body)["results"].get_array().get(results) != simdjson::SUCCESS) return false;
    bool has_news = false;
    for (const element session : results) {
      has_news |= sessions
                      .insert_or_assign(std::string(session["id"].get_string().value()),
                                        std::string(session["executionStartTime"].get_string().value()))
                      .second;
    }
    if (!has_news) return true;
    offset += results.size();
  }
}

void HonestReader::read_log(const std::string& session, const std::string& start, const std::string& body) {
  const std::string generation = belief_ == Belief::sessions_keep_their_start ? session + ' ' + start : session;
  Responses responses;
  for (const std::string& raw : raw_elements(body)) read_entry(session, raw, responses);
  for (const auto& [number, read] : responses) settle(generation, number, read);
}

void HonestReader::read_entry(const std::string& session, const std::string& raw, Responses& responses) {
  const auto [known, extra] = split_entry(raw);
  const element entry = parser_.parse(known).value();
  std::string log_time, status, message, start, duration, resource;
  const bool well = entry.is_object() && entry["logTime"].is_string() && is_string_or_absent(entry["status"]) &&
                    scalar(entry, "logTime", log_time) && scalar(entry, "status", status) &&
                    scalar(entry, "message", message) && scalar(entry, "executionStartTime", start) &&
                    scalar(entry, "executionDuration", duration) && scalar(entry, "resourceHashId", resource) &&
                    parse_time(log_time);
  std::string event;
  if (!well) {
    append_json(event, raw);
    responses[raw].push_back(
        {0, raw,
         fmt::format(R"("original":{}}},"sessionlog":{{"change":"error","source":"{}","session_id":"{}"}})", event,
                     source_, session)});
    return;
  }
  const bool aws = dialect_ == Dialect::aws;
  const bool has_no_time = aws && start.empty() && belief_ != Belief::entries_keep_their_times;
  const Nanos began = has_no_time ? 0 : *parse_time(aws && !start.empty() ? start : log_time);
  append_json(event, message);
  std::string more;
  append_json(more, extra);
  const std::string line = fmt::format(
      R"("start":"{}"}},"message":{},"sessionlog":{{"change":"new","source":"{}","session_id":"{}","log_time":"{}","status":"{}",)"
      R"("duration":"{}","resource_id":"{}","extra":{}}})",
      start, event, source_, session, log_time, status, duration, resource, more);
  const std::string number = fmt::format("{} {}", label_in(message), resource);
  responses[number].push_back({began, news(status, aws ? log_time : start, duration), line});
}

// Of several entries of one number those that say the same pair first, then those that began at the same time, in
// order. What is left of the response is new. A database may have rounded the time.
void HonestReader::settle(const std::string& session, const std::string& number, const std::vector<Read>& read) {
  std::vector<Known>& known = known_[session + ' ' + number];
  std::vector<bool> known_taken(known.size()), read_taken(read.size());
  const auto pair = [&](auto fits) {
    for (std::size_t r = 0; r < read.size(); ++r) {
      for (std::size_t k = 0; k < known_taken.size() && !read_taken[r]; ++k) {
        if (known_taken[k] || !fits(known[k], read[r])) continue;
        known_taken[k] = read_taken[r] = true;
        if (known[k].news == read[r].news) continue;
        known[k].news = read[r].news;
        write(known[k], read[r]);
      }
    }
  };
  const Nanos off = belief_ == Belief::entries_keep_their_times ? 0 : kMicrosecond;
  const auto is_near = [&](const Known& k, const Read& r) { return std::abs(k.began - r.began) <= off; };
  pair([&](const Known& k, const Read& r) { return k.news == r.news && is_near(k, r); });
  pair(is_near);
  for (std::size_t r = 0; r < read.size(); ++r) {
    if (read_taken[r]) continue;
    const std::string ordinal = std::to_string(known.size());
    known.push_back({hex_hash(source_ + session) + hex_hash(number + ordinal), read[r].began, read[r].news});
    write(known.back(), read[r]);
  }
}

void HonestReader::write(const Known& as, const Read& what) {
  lines_.push_back(fmt::format(R"({{"@timestamp":"2027-01-15T08:00:00Z","event":{{"id":"{}","hash":"{}",{}}})", as.id,
                               hex_hash(what.news).substr(0, 8), what.event));
}

}  // namespace fleet
