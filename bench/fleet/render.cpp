#include "bench/fleet/render.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "bench/fleet/json_text.h"
#include "bench/fleet/random.h"

namespace fleet {

namespace {

// How this response spells things: plainly, or at random.
class Speller {
 public:
  Speller(const Session& session, Random* random) : session_(session), random_(random) {}

  std::string time(Nanos told) const { return time_text(session_.telling.get(), session_.dialect, told); }

  void string(std::string& to, std::string_view text) const {
    random_ == nullptr ? append_json(to, text) : append_json_respelled(to, text, *random_);
  }
  template <class Range>
  void shuffle(Range& range) const {
    if (random_ == nullptr) return;
    for (std::size_t i = std::size(range); i > 1; --i) std::swap(range[i - 1], range[random_->below(i)]);
  }

 private:
  const Session& session_;
  Random* random_;
};

using Field = void (*)(std::string&, const Entry&, const State&, const Speller&);

void status_field(std::string& to, const Entry&, const State& state, const Speller&) {
  fmt::format_to(std::back_inserter(to), R"("status":"{}")", state.status);
}
void log_time_field(std::string& to, const Entry&, const State& state, const Speller& speller) {
  fmt::format_to(std::back_inserter(to), R"("logTime":"{}")", speller.time(state.log_time));
}
void message_field(std::string& to, const Entry& entry, const State&, const Speller& speller) {
  to += R"("message":)";
  speller.string(to, entry.message);
}
void resource_field(std::string& to, const Entry& entry, const State&, const Speller& speller) {
  to += R"("resourceHashId":)";
  entry.resource.empty() ? void(to += "null") : speller.string(to, entry.resource);
}
void start_field(std::string& to, const Entry&, const State& state, const Speller& speller) {
  to += R"("executionStartTime":)";
  state.start == 0 ? void(to += "null")
                   : void(fmt::format_to(std::back_inserter(to), "\"{}\"", speller.time(state.start)));
}
template <Dialect dialect>
void duration_field(std::string& to, const Entry&, const State& state, const Speller&) {
  constexpr std::string_view kQuote = dialect == Dialect::aws ? "" : "\"";
  to += R"("executionDuration":)";
  state.duration.empty() ? void(to += "null")
                         : void(fmt::format_to(std::back_inserter(to), "{}{}{}", kQuote, state.duration, kQuote));
}

void append_fields(std::string& to, const Entry& entry, const State& state, const Speller& speller,
                   std::span<Field> fields) {
  speller.shuffle(fields);
  to += '{';
  const char* comma = "";
  for (const Field field : fields) {
    to += std::exchange(comma, ",");
    field(to, entry, state, speller);
  }
  to += entry.extra;
  to += '}';
}

void append_entry(std::string& to, Dialect dialect, const Entry& entry, const State& state, const Speller& speller) {
  if (!entry.raw.empty()) {
    to += entry.raw;
  } else if (entry.is_short) {
    std::array<Field, 3> fields = {log_time_field, message_field, status_field};
    append_fields(to, entry, state, speller, std::span(fields).first(state.status.empty() ? 2 : 3));
  } else if (dialect == Dialect::aws) {
    std::array<Field, 5> fields = {status_field, log_time_field, message_field, start_field,
                                   duration_field<Dialect::aws>};
    append_fields(to, entry, state, speller, fields);
  } else {
    std::array<Field, 6> fields = {log_time_field, status_field, message_field,
                                   resource_field, start_field,  duration_field<Dialect::azure>};
    append_fields(to, entry, state, speller, fields);
  }
}

// How products say that there is more than one response holds.
std::string more_elsewhere(const Session& session, const Log& log) {
  switch (session.seed % 3) {
    case 0:
      return fmt::format(R"(,"totalCount":{})", log.total);
    case 1:
      return fmt::format(R"(,"offset":0,"limit":{},"total":{})", log.shown.size(), log.total);
    default:
      return fmt::format(R"(,"limit":{},"_links":{{"next":{{"href":"/log?offset={}"}}}})", log.shown.size(),
                         log.shown.size());
  }
}

std::string render(const Plan& plan, const Session& session, std::span<const Entry> script, Nanos moment, Nanos freeze,
                   const Speller& speller) {
  const bool aws = session.dialect == Dialect::aws;
  Log log = log_at(plan, session, script, moment, freeze);
  const bool has_more = log.total > log.shown.size();
  speller.shuffle(log.shown);

  std::string entries;
  entries.reserve(log.shown.size() * 240);
  for (const auto& [index, state] : log.shown) {
    if (!entries.empty()) entries += ',';
    append_entry(entries, session.dialect, script[index], state, speller);
  }
  std::string body = fmt::format(R"({{"{}":"{}")", aws ? "sessionId" : "jobSessionId", session.id);
  // An empty log has more than one face.
  if (!entries.empty() || session.seed % 3 == 0) {
    body += R"(,"log":[)" + entries + "]";
  } else if (!aws || session.seed % 3 == 1) {
    body += R"(,"log":null)";
  }
  if (has_more) body += more_elsewhere(session, log);
  return body += '}';
}

struct RowTimes {
  std::string start, stop;
  Nanos length;
};

std::string aws_session(const Session& s, std::size_t index, std::string_view base, bool final, const RowTimes& times) {
  std::string json = fmt::format(R"({{"id":"{}","name":)", s.id);
  append_json(json, s.policy);
  fmt::format_to(std::back_inserter(json), R"(,"type":"{}","executionStartTime":"{}",)", s.type, times.start);
  if (final) {
    fmt::format_to(std::back_inserter(json), R"("executionStopTime":"{}","executionDuration":{},)", times.stop,
                   times.length / kMillisecond % 1000);
  }
  fmt::format_to(
      std::back_inserter(json),
      R"("status":"{}","result":"{}","reason":"","usn":{},"_links":[{{"rel":"self","href":"{}/{}","method":"GET"}},)"
      R"({{"rel":"SessionLogs","href":"{}/{}/log","method":"GET"}}]}})",
      final ? s.final_status : "Running", final ? s.final_result : "Running", 2 * index + (final ? 27 : 26), base, s.id,
      base, s.id);
  return json;
}

std::string azure_session(const Session& s, std::size_t index, std::string_view base, bool final,
                          const RowTimes& times) {
  const auto quoted = [](const std::string& text) { return '"' + text + '"'; };
  std::string policy;
  append_json(policy, s.policy);
  return fmt::format(
      R"({{"id":"{}","type":"{}","localizedType":"{}","executionStartTime":"{}","executionStopTime":{},)"
      R"("executionDuration":{},"status":"{}","backupJobInfo":{{"policyId":"00000000-0000-4000-8000-{:012x}",)"
      R"("policyName":{},"policyType":"VirtualMachine","protectedInstancesCount":{},"policyRemoved":false}},)"
      R"("healthCheckJobInfo":null,"restoreJobInfo":null,"repositoryJobInfo":null,"retentionJobInfo":null,)"
      R"("_links":{{"self":{{"href":"{}/{}"}},"log":{{"href":"{}/{}/log"}}}}}})",
      s.id, s.type, s.type, times.start, final ? quoted(times.stop) : "null",
      final ? quoted(time_span(times.length)) : "null", final ? s.final_status : "Running", s.seed % 5, policy,
      index % 7, base, s.id, base, s.id);
}

}  // namespace

std::string render_log(const Plan& plan, const Session& session, std::span<const Entry> script, Nanos moment,
                       Nanos freeze) {
  return render(plan, session, script, moment, freeze, Speller(session, nullptr));
}

std::string render_log_reshuffled(const Plan& plan, const Session& session, std::span<const Entry> script, Nanos moment,
                                  Nanos freeze, std::uint64_t seed) {
  Random random(seed);
  return render(plan, session, script, moment, freeze, Speller(session, &random));
}

std::string render_session(const Session& session, std::size_t index, std::string_view base, Nanos at, Nanos freeze) {
  const bool final = session.is_final(at, freeze);
  const Nanos stop = session.stopped(at, freeze);
  const Nanos told_stop = session.telling ? session.telling->told(stop) : stop;
  const RowTimes times = {start_text(session, at, freeze), time_text(session.telling.get(), session.dialect, told_stop),
                          stop - session.start};
  return session.dialect == Dialect::aws ? aws_session(session, index, base, final, times)
                                         : azure_session(session, index, base, final, times);
}

std::string render_page(Dialect dialect, std::string_view rows, const Page& page, std::string_view base) {
  const std::string total = page.total ? std::to_string(*page.total) : "null";
  if (dialect == Dialect::aws) {
    return fmt::format(R"({{"totalCount":{},"results":[{}],"_links":[{{"rel":"self","href":"{}","method":"GET"}}]}})",
                       total, rows, base);
  }
  return fmt::format(R"({{"offset":{},"limit":{},"totalCount":{},"results":[{}],"_links":{{"self":{{"href":"{}"}}}}}})",
                     page.offset, page.limit, total, rows, base);
}

std::string render_problem(Dialect dialect, int status, std::string_view title, std::string_view code,
                           std::string_view detail) {
  if (dialect == Dialect::aws) {
    return fmt::format(
        R"({{"type":"https://fleet.invalid/problems/{}","title":"{}","status":{},"errorCode":"{}","details":"{}"}})",
        code, title, status, code, detail);
  }
  return fmt::format(
      R"({{"type":"https://fleet.invalid/problems/{}","title":"{}","status":{},"detail":"{}","traceId":"00-fleet-01"}})",
      code, title, status, detail);
}

}  // namespace fleet
