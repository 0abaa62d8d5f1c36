#include "tests/support/simulated_appliance.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace sessionlogd::test {
namespace {

constexpr std::string_view kSessions = "/api/v1/sessions";
constexpr std::string_view kLogSuffix = "/log";
constexpr std::int64_t kNoConnection = 3;  // it takes so long to be refused, ms

// As append_rfc3339() does, with the text of the day from the time before: a simulated day writes milliards of them.
void append_time(std::string& to, std::int64_t ms) {
  constexpr std::int64_t kDay = 86'400'000;
  static std::string date;  // "2026-11-22T"
  static std::int64_t day = -1;
  if (std::exchange(day, ms / kDay) != ms / kDay) {
    date.clear();
    append_rfc3339(date, {ms / kDay * (kDay / 1'000), 0});
    date.resize(date.find('T') + 1);
  }
  const auto in_day = static_cast<unsigned>(ms % kDay);
  const auto digit = [](unsigned number) { return static_cast<char>('0' + number % 10); };
  const unsigned hour = in_day / 3'600'000, minute = in_day / 60'000 % 60, second = in_day / 1'000 % 60;
  to += date;
  const char text[] = {digit(hour / 10),
                       digit(hour),
                       ':',
                       digit(minute / 10),
                       digit(minute),
                       ':',
                       digit(second / 10),
                       digit(second),
                       '.',
                       digit(in_day / 100),
                       digit(in_day / 10),
                       digit(in_day),
                       'Z'};
  to.append(text, sizeof text);
}

void append_number(std::string& to, std::size_t number) {
  char text[20];
  to.append(text, std::to_chars(text, text + sizeof text, number).ptr);
}

// The value of a query's parameter as it stands there, "" = it has none.
std::string_view parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) return pair.substr(name.size() + 1);
  }
  return {};
}

std::size_t number_of(std::string_view text, std::size_t otherwise) {
  std::size_t number = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::int64_t now_ms() {
  const Instant now = system_now();
  return now.seconds * 1'000 + now.nanos / 1'000'000;
}

std::int64_t PlannedSession::appears_ms(std::size_t entry) const {
  if (entry >= entries) return stop_ms() + kLate;
  return start_ms + static_cast<std::int64_t>(std::uint64_t{length_ms} * entry / entries);
}

std::size_t PlannedSession::shown_at(std::int64_t now_ms) const {
  if (now_ms < start_ms) return 0;
  if (now_ms >= stop_ms()) return entries + (has_late_entry && now_ms >= stop_ms() + kLate ? 1u : 0u);
  std::size_t shown = static_cast<std::uint64_t>(now_ms - start_ms) * entries / length_ms + 1;
  while (shown > 1 && appears_ms(shown - 1) > now_ms) --shown;
  return std::min<std::size_t>(shown, entries);
}

SimulatedAppliance::SimulatedAppliance(unsigned number, std::vector<PlannedSession> plan, Traffic& traffic)
    : number_(number),
      plan_(std::move(plan)),
      traffic_(traffic),
      random_(number + 1),
      served_(plan_.size(), 0),
      polls_(plan_.size(), 0) {}

void SimulatedAppliance::set_latency(std::chrono::milliseconds least, std::chrono::milliseconds most) {
  least_latency_ = least.count();
  most_latency_ = most.count();
}

std::string SimulatedAppliance::url() const { return fmt::format("http://appliance-{}", number_); }

std::string SimulatedAppliance::bearer() const { return fmt::format("token-{}-{}", number_, token_); }

std::chrono::milliseconds SimulatedAppliance::latency() {
  const auto span = static_cast<std::uint64_t>(most_latency_ - least_latency_) + 1;
  return std::chrono::milliseconds{least_latency_ + static_cast<std::int64_t>(random_() % span)};
}

void SimulatedAppliance::count(Traffic::Kind kind) {
  ++requests_;
  ++traffic_.requests[kind];
  const std::int64_t second = now_ms() / 1'000;
  if (second != std::exchange(second_, second)) in_second_ = 0;
  busiest_ = std::max(busiest_, ++in_second_);
}

SimulatedServer::Reply SimulatedAppliance::answer(const HttpRequest& request, const std::vector<std::string>& headers) {
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view rest = path.starts_with(kSessions) ? path.substr(kSessions.size()) : std::string_view{};
  const bool is_log = rest.ends_with(kLogSuffix);
  const bool is_token = request.method == HttpRequest::Method::kPost;
  count(is_token ? Traffic::kToken : is_log ? Traffic::kLog : rest.empty() ? Traffic::kListing : Traffic::kOne);
  if (down_) return {.after = std::chrono::milliseconds{kNoConnection}};
  if (is_token) {
    if (request.form.find("grant_type=password") == std::string::npos &&
        request.form.find("refresh-" + bearer()) == std::string::npos)
      return {latency(), 401, R"({"message":"the refresh token is not known"})"};
    return token();
  }
  if (std::ranges::find(headers, "Authorization: Bearer " + bearer()) == headers.end()) {
    ++traffic_.refused;
    return {latency(), 401};
  }
  if (rest.empty()) return listing(target.substr(std::min(path.size() + 1, target.size())));
  const std::size_t session = number_of(rest.substr(rest.rfind('-') + 1), plan_.size());
  if (session >= plan_.size() || plan_[session].start_ms > now_ms()) return {latency(), 404};
  return is_log ? log(session) : one(session);
}

SimulatedServer::Reply SimulatedAppliance::token() {
  return {latency(), 200,
          fmt::format(R"({{"access_token":"{0}","refresh_token":"refresh-{0}","expires_in":3600}})", bearer())};
}

void SimulatedAppliance::append_row(std::string& to, std::size_t session) const {
  const PlannedSession& planned = plan_[session];
  const bool ended = planned.stop_ms() <= now_ms();
  to.append(R"({"id":"session-)");
  append_number(to, number_);
  to += '-';
  append_number(to, session);
  to.append(R"(","type":"Policy","name":"nightly","status":")").append(ended ? "Succeeded" : "Running");
  to.append(R"(","executionStartTime":")");
  append_time(to, planned.start_ms);
  if (ended) {
    to.append(R"(","executionStopTime":")");
    append_time(to, planned.stop_ms());
  }
  to.append("\"}");
}

SimulatedServer::Reply SimulatedAppliance::one(std::size_t session) {
  Reply reply{latency(), 200};
  append_row(reply.body, session);
  return reply;
}

SimulatedServer::Reply SimulatedAppliance::listing(std::string_view query) {
  const std::int64_t now = now_ms();
  while (first_running_ < plan_.size() && plan_[first_running_].stop_ms() <= now) ++first_running_;
  const auto starts_before = [](const PlannedSession& session, std::int64_t at) { return session.start_ms < at; };
  const auto begun = std::lower_bound(plan_.begin(), plan_.end(), now + 1, starts_before);
  const bool only_running = !parameter(query, "Status").empty();
  auto from = plan_.begin() + static_cast<std::ptrdiff_t>(only_running ? first_running_ : 0);
  if (std::string text(parameter(query, "FromUtc")); !text.empty()) {
    for (std::size_t at = text.find("%3A"); at != std::string::npos; at = text.find("%3A")) text.replace(at, 3, ":");
    const auto read = parse_rfc3339(text);
    if (!read) return {latency(), 400};
    from = std::lower_bound(from, begun, read->instant.seconds * 1'000, starts_before);
  }

  const std::size_t offset = number_of(parameter(query, "Offset"), 0),
                    limit = number_of(parameter(query, "Limit"), 200);
  Reply reply{latency(), 200};
  reply.body = R"({"results":[)";
  const auto is_listed = [&](const PlannedSession& one) { return !only_running || one.stop_ms() > now; };
  std::size_t row = 0;
  auto session = from;
  if (!only_running)
    session += static_cast<std::ptrdiff_t>(row = std::min(offset, static_cast<std::size_t>(begun - from)));
  for (; session < begun && row < offset + limit; ++session) {
    if (!is_listed(*session) || row++ < offset) continue;
    if (row > offset + 1) reply.body += ',';
    append_row(reply.body, static_cast<std::size_t>(session - plan_.begin()));
  }
  const auto rest = only_running ? std::count_if(session, begun, is_listed) : begun - session;
  reply.body.append(R"(],"totalCount":)");
  append_number(reply.body, row + static_cast<std::size_t>(rest));
  reply.body += '}';
  return reply;
}

SimulatedServer::Reply SimulatedAppliance::log(std::size_t session) {
  const PlannedSession& planned = plan_[session];
  const std::int64_t now = now_ms();
  const std::size_t shown = planned.shown_at(now);
  ++polls_[session];
  for (std::size_t entry = served_[session]; entry < shown; ++entry) {
    ++traffic_.new_entries;
    traffic_.news_seconds.observe(std::chrono::milliseconds{now - planned.appears_ms(entry)});
  }
  served_[session] = static_cast<std::uint16_t>(shown);

  Reply reply{latency(), 200};
  std::string& body = reply.body;
  body.reserve(128 + shown * 192);
  body = R"({"sessionId":"session-)";
  append_number(body, number_);
  body += '-';
  append_number(body, session);
  body.append(R"(","log":[)");
  for (std::size_t entry = 0; entry < shown; ++entry) {
    const bool final = entry + 1 < shown || now >= planned.stop_ms();
    body.append(entry == 0 ? R"({"status":")" : R"(,{"status":")").append(final ? "Success" : "Running");
    body.append(R"(","logTime":")");
    append_time(body, final ? std::min(planned.appears_ms(entry + 1), planned.stop_ms()) : planned.appears_ms(entry));
    body.append(R"(","message":"Processing disk )");
    append_number(body, entry);
    body.append(R"( of the machine.","executionStartTime":")");
    append_time(body, planned.appears_ms(entry));
    body.append(R"(","executionDuration":0})");
  }
  body.append("]}");
  return reply;
}

}  // namespace sessionlogd::test
