#include "tests/support/simulated_appliance.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <iterator>
#include <utility>

#include "tests/support/simulated_time.h"

namespace sessionlogd::test {
namespace {

constexpr std::string_view kSessions = "/api/v1/sessions";
constexpr std::string_view kLogSuffix = "/log";
constexpr std::int64_t kNoConnection = 3;  // it takes so long to be refused, ms

// As append_rfc3339() does, with the text of the day from the time before: a simulated day writes milliards of them.
// Without its zone.
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
  const char text[] = {digit(hour / 10),   digit(hour),   ':', digit(minute / 10),  digit(minute),      ':',
                       digit(second / 10), digit(second), '.', digit(in_day / 100), digit(in_day / 10), digit(in_day)};
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

// nullopt: there is none.
std::optional<std::int64_t> time_ms(std::string_view query, std::string_view name) {
  std::string text(parameter(query, name));
  for (std::size_t at = text.find("%3A"); at != std::string::npos; at = text.find("%3A")) text.replace(at, 3, ":");
  const auto read = parse_rfc3339(text);
  return read ? std::optional(read->instant.seconds * 1'000) : std::nullopt;
}

}  // namespace

std::int64_t now_ms() {
  const Instant now = true_now();
  return now.seconds * 1'000 + now.nanos / 1'000'000;
}

bool PlannedSession::runs_at(std::int64_t now_ms) const {
  const bool runs_again = again_entries > 0 && now_ms >= again_ms() && now_ms < last_stop_ms();
  return (now_ms >= start_ms && now_ms < stop_ms()) || runs_again;
}

bool PlannedSession::has_id_at(std::int64_t now_ms) const {
  return start_ms <= now_ms && (gives_back_after_ms == 0 || now_ms < start_ms + gives_back_after_ms);
}

std::int64_t PlannedSession::stop_of(std::size_t entry) const {
  return entry < first_entries() ? stop_ms() : last_stop_ms();
}

std::int64_t PlannedSession::appears_ms(std::size_t entry) const {
  if (entry < entries && script) return start_ms + script->entries_ms[entry];
  if (entry < entries) return start_ms + static_cast<std::int64_t>(std::uint64_t{length_ms} * entry / entries);
  if (entry < first_entries() || again_entries == 0) return stop_ms() + late_after_ms;
  const std::size_t again = entry - first_entries();
  return again_ms() + static_cast<std::int64_t>(std::uint64_t{again_length_ms} * again / again_entries);
}

std::size_t PlannedSession::shown_at(std::int64_t now_ms) const {
  if (now_ms < start_ms) return 0;
  if (script) {
    const auto& at = script->entries_ms;
    const auto shown = static_cast<std::size_t>(std::upper_bound(at.begin(), at.end(), now_ms - start_ms) - at.begin());
    return shown + (has_late_entry && now_ms >= stop_ms() + late_after_ms ? 1 : 0);
  }
  if (now_ms >= stop_ms()) {
    std::size_t shown = entries + (has_late_entry && now_ms >= stop_ms() + late_after_ms ? 1u : 0u);
    while (shown >= first_entries() && shown < first_entries() + again_entries && appears_ms(shown) <= now_ms) ++shown;
    return shown;
  }
  std::size_t shown = static_cast<std::uint64_t>(now_ms - start_ms) * entries / length_ms + 1;
  while (shown > 1 && appears_ms(shown - 1) > now_ms) --shown;
  return std::min<std::size_t>(shown, entries);
}

PlannedSession::Form PlannedSession::form_of(std::size_t entry, std::size_t shown, std::int64_t now_ms) const {
  if (!script || !script->changes) {
    const std::int64_t stop = stop_of(entry);
    if (entry + 1 >= shown && (now_ms < stop || leaves_running)) return {false, 0, appears_ms(entry)};
    const std::int64_t changed = std::min(appears_ms(entry + 1), stop);
    return {true, changed > appears_ms(entry) ? 1u : 0u, changed};
  }
  Form form{true, 0, appears_ms(entry)};
  auto change =
      std::ranges::lower_bound(*script->changes, static_cast<std::uint32_t>(entry), {}, &Script::Change::entry);
  for (; change != script->changes->end() && change->entry == entry; ++change) {
    if (start_ms + change->at_ms > now_ms) {
      form.final = form.changes > 0;
      break;
    }
    form.changed_ms = start_ms + change->at_ms;
    ++form.changes;
  }
  return form;
}

SimulatedAppliance::SimulatedAppliance(unsigned number, std::vector<PlannedSession> plan, Traffic& traffic)
    : number_(number),
      plan_(std::move(plan)),
      traffic_(traffic),
      random_(number + 1),
      hidden_(plan_.size(), false),
      cleared_(plan_.size(), false),
      refused_(plan_.size(), 0),
      served_(plan_.size(), 0),
      read_ms_(plan_.size(), INT64_MIN),
      polls_(plan_.size(), 0) {
  for (std::size_t i = 0; i < plan_.size(); ++i) {
    if (plan_[i].takes_id_of) heirs_.push_back(i);
  }
}

void SimulatedAppliance::set_latency(std::chrono::milliseconds least, std::chrono::milliseconds most) {
  least_latency_ = least.count();
  most_latency_ = most.count();
}

std::string SimulatedAppliance::url() const { return fmt::format("http://appliance-{}", number_); }

std::size_t SimulatedAppliance::memory_bytes() const {
  const auto bytes_of = [](const auto& values) { return values.capacity() * sizeof(values[0]); };
  std::size_t bytes = sizeof(*this) + bytes_of(plan_) + (hidden_.capacity() + cleared_.capacity()) / CHAR_BIT +
                      bytes_of(refused_) + bytes_of(heirs_) + bytes_of(served_) + bytes_of(read_ms_) + bytes_of(polls_);
  for (const PlannedSession& session : plan_) {
    if (!session.script) continue;
    bytes += sizeof(Script) + bytes_of(session.script->entries_ms);
    if (session.script->changes) bytes += bytes_of(*session.script->changes);
  }
  return bytes;
}

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

SimulatedServer::Reply SimulatedAppliance::response(const HttpRequest& request,
                                                    const std::vector<std::string>& headers) {
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  const std::string_view rest = path.starts_with(kSessions) ? path.substr(kSessions.size()) : std::string_view{};
  const bool is_log = rest.ends_with(kLogSuffix);
  const bool is_token = request.method == HttpRequest::Method::kPost;
  count(is_token ? Traffic::kToken : is_log ? Traffic::kLog : rest.empty() ? Traffic::kListing : Traffic::kOne);
  if (down_) return {.after = std::chrono::milliseconds{kNoConnection}};
  if (is_token) {
    if (auto instead = token_instead_()) return *std::move(instead);
    if (request.form.find("grant_type=password") == std::string::npos &&
        request.form.find("refresh-" + bearer()) == std::string::npos) {
      Reply refusal = reply(401);
      refusal.body = R"({"message":"the refresh token is not known"})";
      return refusal;
    }
    return token();
  }
  if (std::ranges::find(headers, "Authorization: Bearer " + bearer()) == headers.end()) {
    ++traffic_.refused;
    return reply(401);
  }
  if (rest.empty()) {
    if (auto instead = listing_instead_()) return *std::move(instead);
    return listing(target.substr(std::min(path.size() + 1, target.size())));
  }
  const auto session = named_by(number_of(rest.substr(rest.rfind('-') + 1), plan_.size()));
  if (!session || hidden_[*session]) return reply(404);
  if (!is_log && rows_refused_ != 0) return reply(rows_refused_);
  if (!is_log) return one(*session);
  if (auto instead = log_instead_(*session)) return *std::move(instead);
  return log(*session);
}

// The last that has begun of those that the id names.
std::optional<std::size_t> SimulatedAppliance::named_by(std::size_t id) const {
  const std::int64_t now = now_ms();
  std::optional<std::size_t> named;
  if (id < plan_.size() && plan_[id].start_ms <= now) named = id;
  for (const std::size_t heir : heirs_) {
    if (plan_[heir].takes_id_of == id && plan_[heir].has_id_at(now)) named = heir;
  }
  return named;
}

void SimulatedAppliance::set_hidden(std::size_t begin, std::size_t end, bool hidden) {
  for (std::size_t i = begin; i < end; ++i) hidden_[i] = hidden;
}

std::string SimulatedAppliance::message_of(std::size_t session, std::size_t entry) {
  std::string message = "Processing disk ";
  append_number(message, entry);
  message += " of machine ";
  append_number(message, session);
  message += '.';
  return message;
}

SimulatedServer::Reply SimulatedAppliance::reply(int status) {
  if (clock_ahead_) *clock_ahead_ += clock_rush_;
  return {.after = latency(), .status = status, .clock_ahead = clock_ahead_};
}

SimulatedServer::Reply SimulatedAppliance::token() {
  Reply granted = reply(200);
  granted.body = fmt::format(R"({{"access_token":"{0}","refresh_token":"refresh-{0}","expires_in":3600}})", bearer());
  return granted;
}

void SimulatedAppliance::append_id(std::string& to, std::size_t session) const {
  to += "session-";
  append_number(to, number_);
  to += '-';
  append_number(to, plan_[session].takes_id_of.value_or(session));
}

void SimulatedAppliance::append_time_of(std::string& to, const PlannedSession& session, std::int64_t ms) const {
  const std::chrono::milliseconds zone = local_.value_or(std::chrono::minutes{0});
  append_time(to, ms + session.written_ahead_ms + zone.count());
  if (!local_) to += 'Z';
}

void SimulatedAppliance::append_row(std::string& to, std::size_t session) const {
  const PlannedSession& planned = plan_[session];
  const std::int64_t now = now_ms();
  const bool ended = !planned.runs_at(now);
  to.append(R"({"id":")");
  append_id(to, session);
  to.append(R"(","type":")").append(planned.script ? planned.script->type : "Policy");
  to.append(R"(","name":"nightly","status":")").append(ended ? "Succeeded" : "Running");
  to += '"';
  if (!planned.has_no_start) {
    to.append(R"(,"executionStartTime":")");
    append_time_of(to, planned, planned.start_ms);
    to += '"';
  }
  if (ended) {
    to.append(R"(,"executionStopTime":")");
    append_time_of(to, planned, now < planned.last_stop_ms() ? planned.stop_ms() : planned.last_stop_ms());
    to += '"';
  }
  to += '}';
}

SimulatedServer::Reply SimulatedAppliance::one(std::size_t session) {
  Reply one = reply(200);
  append_row(one.body, session);
  return one;
}

std::vector<std::size_t> SimulatedAppliance::listed(bool only_running, std::string_view query) const {
  const std::int64_t now = now_ms();
  const auto from = time_ms(query, "FromUtc"), to = time_ms(query, "ToUtc");
  std::vector<std::size_t> rows;
  if (blind_) return rows;
  for (std::size_t i = 0; i < plan_.size() && plan_[i].start_ms <= now; ++i) {
    const PlannedSession& session = plan_[i];
    const std::int64_t start = session.start_ms + session.written_ahead_ms;
    if (hidden_[i] || (from && start < *from) || (to && start >= *to)) continue;
    if (session.has_no_start && (from || to)) continue;
    if (only_running && !session.runs_at(now)) continue;
    if (!heirs_.empty() && !lists_all_of_an_id_ && named_by(session.takes_id_of.value_or(i)) != i) continue;
    rows.push_back(i);
  }
  std::ranges::stable_partition(rows, [this](std::size_t row) { return !plan_[row].has_no_start; });
  return rows;
}

SimulatedServer::Reply SimulatedAppliance::listing(std::string_view query) {
  std::vector<std::size_t> rows = listed(!parameter(query, "Status").empty(), query);
  if (pages_ == Pages::kShuffled) std::ranges::shuffle(rows, random_);
  const std::size_t asked = number_of(parameter(query, "Limit"), longest_page_);
  std::size_t begin = std::min(number_of(parameter(query, "Offset"), 0), rows.size());
  if (pages_ == Pages::kIgnoreOffset) begin = 0;
  if (pages_ == Pages::kFirstOnly && begin > 0) return reply(500);
  const bool is_all = parameter(query, "Status").empty() && !time_ms(query, "FromUtc") && !time_ms(query, "ToUtc");
  if (pages_ == Pages::kNoSweeps && is_all) return reply(503);
  const std::size_t end = std::min(begin + std::min(asked, longest_page_), rows.size());
  Reply page = reply(200);
  page.body = R"({"results":[)";
  for (std::size_t row = begin; row < end; ++row) {
    if (row > begin) page.body += ',';
    append_row(page.body, rows[row]);
  }
  page.body.append(R"(],"totalCount":)");
  append_number(page.body, pages_ == Pages::kTotalIsZero       ? 0
                           : pages_ == Pages::kTotalIsThePages ? end - begin
                           : pages_ == Pages::kTotalIsHigher   ? rows.size() + 10
                                                               : rows.size());
  page.body += '}';
  return page;
}

void SimulatedAppliance::count_news(std::size_t session, std::size_t shown) {
  const PlannedSession& planned = plan_[session];
  const std::int64_t now = now_ms(), before = std::exchange(read_ms_[session], now);
  if (traffic_.keeps_ages) {
    for (std::size_t entry = 0; entry < std::min<std::size_t>(shown, served_[session]); ++entry) {
      const PlannedSession::Form form = planned.form_of(entry, shown, now);
      if (form.changes > 0 && form.changed_ms > before)
        traffic_.changed_ages_ms.push_back(static_cast<std::uint32_t>(now - form.changed_ms));
    }
  }
  for (std::size_t entry = served_[session]; entry < shown; ++entry) {
    const std::int64_t age = now - planned.appears_ms(entry);
    ++traffic_.new_entries;
    traffic_.news_seconds.observe(std::chrono::milliseconds{age});
    if (traffic_.keeps_ages) traffic_.new_ages_ms.push_back(static_cast<std::uint32_t>(age));
  }
  served_[session] = std::max(served_[session], static_cast<std::uint32_t>(shown));
}

SimulatedServer::Reply SimulatedAppliance::log(std::size_t session) {
  const PlannedSession& planned = plan_[session];
  const std::int64_t now = now_ms();
  const std::size_t shown = cleared_[session] ? 0 : planned.shown_at(now);
  ++polls_[session];
  if (refused_[session] != 0) return reply(refused_[session]);
  count_news(session, shown);

  Reply log = reply(200);
  std::string& body = log.body;
  body.reserve(128 + shown * 192);
  body = R"({"sessionId":")";
  append_id(body, session);
  body.append(R"(","log":[)");
  for (std::size_t entry = 0; entry < shown; ++entry) {
    const PlannedSession::Form form = planned.form_of(entry, shown, now);
    body.append(entry == 0 ? R"({"status":")" : R"(,{"status":")").append(form.final ? "Success" : "Running");
    body.append(R"(","logTime":")");
    append_time_of(body, planned, form.changed_ms);
    body.append(R"(","message":")").append(message_of(session, entry));
    body.append(R"(","executionStartTime":")");
    append_time_of(body, planned, planned.appears_ms(entry));
    body.append(R"(","executionDuration":)");
    append_number(body, std::max(form.changes, 1u) - 1);  // so what changes a second time differs, too
    body += '}';
  }
  body.append("]}");
  return log;
}

}  // namespace sessionlogd::test
