#include "bench/fleet/reckon.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>
#include <unordered_map>

#include "bench/fleet/owed.h"

namespace fleet {

namespace {

using simdjson::dom::element;

constexpr std::size_t kShown = 2000;  // of a line, in an example

// Empty when the field is absent.
std::string_view field(const element& event, std::string_view pointer) {
  std::string_view text;
  return event.at_pointer(pointer).get_string().get(text) == simdjson::SUCCESS ? text : std::string_view();
}

// Reads the output, line by line, and puts every event to the entry it speaks of.
class Reading {
 public:
  Reading(Owed& owed, Verdict& verdict, const Reckoning& how) : owed_(owed), verdict_(verdict), how_(how) {}

  void read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::string line;
    while (std::getline(file, line)) {
      // What a crash left was overwritten with spaces.
      if (line.find_first_not_of(' ') != std::string::npos) take(line);
    }
  }

 private:
  void take(const std::string& line) {
    element event;
    if (parser_.parse(line).get(event) != simdjson::SUCCESS)
      return verdict_.find(Verdict::unreadable, line.substr(0, 200));
    const std::string_view change = field(event, "/sessionlog/change");
    OwedSession* session = owed_.find(field(event, "/sessionlog/source"), field(event, "/sessionlog/session_id"));
    if (change == "gap") return take_gap(session, line);
    if (session == nullptr) return verdict_.find(Verdict::foreign, "no such session: " + line);
    change == "error" ? take_error(*session, event, line) : take_entry(*session, event, line);
  }

  void take_gap(OwedSession* session, const std::string& line) {
    ++verdict_.gaps;
    const bool allowed = session != nullptr && ++session->gaps_written <= session->gaps_allowed;
    if (!allowed && !how_.gaps_allowed) verdict_.find(Verdict::unexpected_gap, line);
  }

  void take_error(OwedSession& session, const element& event, const std::string& line) {
    ++verdict_.errors_written;
    const auto error = session.errors.find(std::string(field(event, "/event/original")));
    if (error == session.errors.end()) return verdict_.find(Verdict::foreign, "error event: " + line);
    if (++error->second.written > error->second.served) verdict_.find(Verdict::repeated, "error event: " + line);
  }

  void take_entry(OwedSession& session, const element& event, const std::string& line) {
    ++verdict_.events;
    const std::string_view log_time = field(event, "/sessionlog/log_time"), start = field(event, "/event/start");
    const std::string_view when = session.dialect == Dialect::aws && !start.empty() ? start : log_time;
    const auto group = session.groups.find(comparable_identity(parse_time(when).value_or(0), field(event, "/message"),
                                                               field(event, "/sessionlog/resource_id")));
    if (group == session.groups.end())
      return verdict_.find(Verdict::foreign, "no such entry: " + line.substr(0, kShown));
    const std::uint32_t id = number_of(field(event, "/event/id"), group->second);
    if (id == 0) return verdict_.find(Verdict::foreign, "event.id of another entry: " + line);
    const std::vector<std::string>& extras = group->second.extras;
    if (std::find(extras.begin(), extras.end(), field(event, "/sessionlog/extra")) == extras.end()) {
      verdict_.find(Verdict::foreign, "other unknown fields: " + line.substr(0, kShown));
    }
    group->second.written.push_back({id,
                                     comparable_state(session.dialect, field(event, "/sessionlog/status"), log_time,
                                                      start, field(event, "/sessionlog/duration")),
                                     std::string(field(event, "/event/hash"))});
  }

  // 0: the id is not one, or belongs to another entry.
  std::uint32_t number_of(std::string_view event_id, const Group& group) {
    if (event_id.empty()) return 0;
    const auto next = static_cast<std::uint32_t>(ids_.size() + 1);
    const auto [known, is_new] = ids_.try_emplace(std::string(event_id), next, &group);
    return known->second.second == &group ? known->second.first : 0;
  }

  Owed& owed_;
  Verdict& verdict_;
  const Reckoning& how_;
  simdjson::dom::parser parser_;
  std::unordered_map<std::string, std::pair<std::uint32_t, const Group*>> ids_;
};

// Judges the entries of one identity.
class GroupJudge {
 public:
  GroupJudge(const std::string& session, const OwedSession& of, const Group& group, Verdict& verdict,
             const Reckoning& how)
      : session_(session), broken_(of.broken), group_(group), verdict_(verdict), how_(how) {}

  void judge() {
    for (const auto& states : group_.entries) {
      const auto owed = std::count_if(states.begin(), states.end(), [](const OwedState& s) { return s.owed; });
      verdict_.entries += owed > 0 ? 1 : 0;
      verdict_.states += static_cast<std::uint64_t>(owed);
    }
    find_foreign();
    find_same_twice_in_a_row();
    group_.entries.size() == 1 ? judge_single() : judge_twins();
  }

 private:
  void find(Verdict::Kind kind, const std::string& what) {
    verdict_.find(kind, fmt::format("{} [{}]: {}", session_, group_.shown, what));
  }

  void find_foreign() {
    for (const Group::Written& w : group_.written) {
      const bool served = std::any_of(group_.entries.begin(), group_.entries.end(), [&](const auto& states) {
        return std::any_of(states.begin(), states.end(), [&](const OwedState& s) { return s.state == w.state; });
      });
      if (!served) find(Verdict::foreign, "state never served: " + w.state);
    }
  }

  void find_same_twice_in_a_row() {
    std::map<std::uint32_t, const Group::Written*> last;
    for (const Group::Written& w : group_.written) {
      const Group::Written*& before = last[w.id];
      if (before != nullptr && (before->state == w.state || before->hash == w.hash)) find(Verdict::repeated, w.state);
      before = &w;
    }
  }

  // All events of one entry are one story, whatever ids they carry.
  void judge_single() {
    const std::vector<OwedState>& served = group_.entries.front();
    std::size_t position = 0;  // of the first served state that may come next
    std::vector<bool> written(served.size());
    for (std::size_t i = 0; i < group_.written.size(); ++i) {
      const Group::Written& w = group_.written[i];
      if (w.id != group_.written.front().id) find(Verdict::repeated, "under another event.id: " + w.state);
      const auto at =
          std::find_if(served.begin(), served.end(), [&](const OwedState& s) { return s.state == w.state; });
      if (at == served.end()) continue;  // foreign, found above
      const auto index = static_cast<std::size_t>(at - served.begin());
      if (index < position && group_.written[i - 1].state != w.state) find(Verdict::disordered, w.state);
      position = std::max(position, index + 1);
      written[index] = true;
    }
    std::size_t last_owed = served.size();
    for (std::size_t i = 0; i < served.size(); ++i) last_owed = served[i].owed ? i : last_owed;
    for (std::size_t i = 0; i < served.size(); ++i) {
      if (!served[i].owed || written[i]) continue;
      i == last_owed ? find(Verdict::lost, "last state: " + served[i].state) : skipped(1, served[i].state);
    }
  }

  void skipped(std::uint64_t count, const std::string& state) {
    verdict_.skipped += count;
    if (how_.exact) find(Verdict::lost, "state in between: " + state);
  }

  // Twins are the same to everyone, so only numbers can be compared: how many ids, and how many of them end in which
  // state.
  void judge_twins() {
    std::map<std::uint32_t, std::string> ends;
    std::map<std::string, std::uint64_t> writes;
    for (const Group::Written& w : group_.written) {
      ends[w.id] = w.state;
      ++writes[w.state];
    }
    if (ends.size() > group_.entries.size()) {
      find(Verdict::repeated, fmt::format("{} event ids for {} twins", ends.size(), group_.entries.size()));
    }
    std::map<std::string, std::uint64_t> served, wanted;
    bool ends_open = false;  // some twin's last state was in a broken answer only
    for (const auto& states : group_.entries) {
      for (const OwedState& s : states) ++served[s.state];
      const auto last = std::find_if(states.rbegin(), states.rend(), [](const OwedState& s) { return s.owed; });
      if (last != states.rend()) ++wanted[last->state];
      ends_open |= last != states.rbegin();
    }
    std::map<std::string, std::uint64_t> ended;
    for (const auto& [id, state] : ends) ++ended[state];
    for (const auto& [state, count] : wanted) {
      const std::uint64_t have = ends_open ? writes[state] : ended[state];
      if (have < count) find(Verdict::lost, fmt::format("{} of {} twins in state {}", count - have, count, state));
    }
    // A broken answer may show only some of the twins; then the daemon pairs them otherwise, rightly.
    if (broken_) return;
    for (const auto& [state, count] : writes) {
      if (count > served[state])
        find(Verdict::repeated, fmt::format("{} times for {} twins: {}", count, served[state], state));
    }
  }

  const std::string& session_;
  const bool broken_;
  const Group& group_;
  Verdict& verdict_;
  const Reckoning& how_;
};

void judge_errors(const std::string& name, const OwedSession& session, Verdict& verdict) {
  for (const auto& [raw, error] : session.errors) {
    verdict.errors_owed += error.owed;
    if (error.written < error.owed) verdict.find(Verdict::lost, name + " error event: " + raw);
  }
}

}  // namespace

Verdict reckon(const std::string& ledger, const std::vector<std::string>& events, const Reckoning& how) {
  Verdict verdict;
  Owed owed = Owed::read(ledger);
  Reading reading(owed, verdict, how);
  for (const std::string& path : events) reading.read(path);
  for (const std::string& session : owed.unread()) {
    ++verdict.unread;
    if (how.complete) verdict.find(Verdict::unfinished, session);
  }
  for (const auto& [name, session] : owed.sessions()) {
    ++verdict.sessions;
    for (const auto& [identity, group] : session.groups) GroupJudge(name, session, group, verdict, how).judge();
    judge_errors(name, session, verdict);
  }
  return verdict;
}

}  // namespace fleet
