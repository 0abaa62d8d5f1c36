#include "bench/fleet/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "bench/fleet/forms.h"
#include "bench/fleet/json_text.h"
#include "bench/fleet/nature.h"
#include "bench/fleet/script.h"

namespace fleet {

namespace {

// In order of time, each moment once. A slow response may have ended after a newer one: time decides, not the end of
// the response.
std::vector<Served> in_order(std::vector<Served> served) {
  std::stable_sort(served.begin(), served.end(), [](const Served& a, const Served& b) { return a.moment < b.moment; });
  std::vector<Served> out;
  for (const Served& each : served) {
    if (!out.empty() && out.back().moment == each.moment) {
      out.back().owed |= each.owed;
    } else {
      out.push_back(each);
    }
  }
  return out;
}

// A client that met a session and finds it deleted may say that it could not read it to its end. Only if it had ended
// long before, and was read, there is nothing to say.
bool may_have_gap(const Plan& plan, const Session& session, const SessionRecord& record, Nanos freeze) {
  constexpr Nanos kLongBefore = kHour / 6;
  if (!record.gone) return false;
  if (session.stop >= plan.begin - kLongBefore) return true;
  const Nanos quiet = quiet_from(plan, session, freeze);
  return std::none_of(record.served.begin(), record.served.end(),
                      [&](const Served& each) { return each.owed && each.moment >= quiet; });
}

void append_session(std::string& to, const Plan& plan, const std::string& source, const Session& session,
                    const SessionRecord& record, Nanos freeze) {
  const std::vector<Served> served = in_order(record.served);
  const bool broken = std::ranges::any_of(record.served, [](const Served& each) { return !each.owed; });
  fmt::format_to(
      std::back_inserter(to),
      R"({{"record":"session","source":"{}","dialect":"{}","session":"{}","start":"{}","broken":{},"gaps":{},)", source,
      session.dialect == Dialect::aws ? "aws" : "azure", session.id, azure_time(session.start), broken,
      int{may_have_gap(plan, session, record, freeze)});
  append_forms(to, plan, session, served, freeze);
  to += "}\n";
}

std::string_view life_of(const Plan& plan, std::size_t appliance, std::size_t index, const Session& session) {
  if (session.reopened != kNever) return "reopened";
  if (session.never_ends) return "never ending";
  if (session.first_start != Session::Start::right) return "with a corrected start";
  if (session.cleared != kNever) return "with a log that is cleared";
  if (session.paged.to != 0) return "with a paged log";
  if (session.is_of_short_entries) return "of short entries";
  const Session plain = plain_session(plan, appliance, index);
  return session.id != plain.id ? "of a reused id" : session.start != plain.start ? "late" : "plain";
}

void append_unread(std::string& to, const std::string& source, const Session& session, std::string_view life) {
  fmt::format_to(std::back_inserter(to),
                 R"({{"record":"unread","source":"{}","session":"{}","start":"{}","life":"{}"}})"
                 "\n",
                 source, session.id, azure_time(session.start), life);
}

void append_account(std::string& to, const std::string& source, const Account& a) {
  fmt::format_to(
      std::back_inserter(to),
      R"({{"record":"account","source":"{}","requests":{},"logins":{},"refreshes":{},"log_answers":{},"log_bytes":{},)"
      R"("most_in_flight":{},"busiest_second":{},"above_rate":{},"most_ahead_ms":{},"inside_retry_after":{},)"
      R"("on_the_wire":{},"latest_on_the_wire_ms":{},"hasty_logins":{},"bad_requests":{},)"
      R"("redirects_followed":{},"faults":{{)",
      source, a.requests, a.logins, a.refreshes, a.log_answers, a.log_bytes, a.most_in_flight, a.busiest_second,
      a.above_rate, a.most_ahead / kMillisecond, a.inside_retry_after, a.on_the_wire,
      a.latest_on_the_wire / kMillisecond, a.hasty_logins, a.bad_requests, a.redirects_followed);
  const char* comma = "";
  for (const Misbehaviour& m : misbehaviours()) {
    if (m.scope != Scope::response) continue;
    fmt::format_to(std::back_inserter(to), R"({}"{}":{})", std::exchange(comma, ","), m.name,
                   a.faults[static_cast<std::size_t>(m.fault)]);
  }
  to += R"(},"told":[)";
  comma = "";
  for (const std::string& line : a.told) {
    to += std::exchange(comma, ",");
    append_json(to, line);
  }
  to += "]}\n";
}

template <class Lines>
void write_lines(const std::string& path, const std::vector<ApplianceRecord>& records, const Lines& lines) {
  const std::string beside = path + ".new";
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  for (const ApplianceRecord& record : records) file << lines(record);
  file.close();
  if (!file) throw std::system_error(errno, std::generic_category(), beside);
  std::filesystem::rename(beside, path);
}

}  // namespace

std::string ledger_lines(const Plan& plan, const ApplianceRecord& record, Nanos freeze) {
  const std::string source = source_name(plan, record.index);
  const Plan own = plan_of_appliance(plan, record.index);
  const Nanos own_freeze = shifted(freeze, nature_of(plan, record.index).clock_offset);
  std::string lines;
  for (std::size_t i = 0; i < record.sessions.size(); ++i) {
    const SessionRecord& session = record.sessions[i];
    if (session.served.empty() && !session.gone && !session.unread) continue;
    const Session which = make_session(own, record.index, i);
    if (!session.served.empty() || session.gone) append_session(lines, own, source, which, session, own_freeze);
    if (session.unread) append_unread(lines, source, which, life_of(own, record.index, i, which));
  }
  append_account(lines, source, record.account);
  return lines;
}

void write_ledger(const std::string& path, const Plan& plan, const std::vector<ApplianceRecord>& records,
                  Nanos freeze) {
  write_lines(path, records, [&](const ApplianceRecord& record) { return ledger_lines(plan, record, freeze); });
}

void write_visits(const std::string& path, const Plan& plan, const std::vector<ApplianceRecord>& records) {
  write_lines(path, records, [&](const ApplianceRecord& record) {
    return visit_lines(source_name(plan, record.index), record.visits);
  });
}

}  // namespace fleet
