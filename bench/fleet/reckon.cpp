#include "bench/fleet/reckon.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "bench/fleet/json_text.h"
#include "bench/fleet/owed.h"
#include "bench/fleet/script.h"

namespace fleet {

namespace {

constexpr std::size_t kShown = 2000;  // of a line, in an example

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
    const std::optional<Written> event = how_.format->read(line);
    if (!event) return verdict_.find(Verdict::unreadable, line.substr(0, 200));
    OwedSession* session = owed_.find(event->source, event->session);
    if (event->change == "gap") return take_gap(session, line);
    if (session == nullptr) return verdict_.find(Verdict::foreign, "no such session: " + line.substr(0, kShown));
    event->change == "error" ? take_error(*session, *event, line) : take_entry(*session, *event, line);
  }

  void take_gap(OwedSession* session, const std::string& line) {
    ++verdict_.gaps;
    const bool allowed = session != nullptr && ++session->gaps_written <= session->gaps_due;
    if (!allowed && !how_.gaps_allowed) verdict_.find(Verdict::unexpected_gap, line);
  }

  void take_error(OwedSession& session, const Written& event, const std::string& line) {
    ++verdict_.errors_written;
    const auto error = session.errors.find(event.original);
    if (error == session.errors.end()) return verdict_.find(Verdict::foreign, "error event: " + line);
    if (++error->second.written > error->second.served) verdict_.find(Verdict::repeated, "error event: " + line);
  }

  void take_entry(OwedSession& session, const Written& event, const std::string& line) {
    ++verdict_.events;
    if (event.change != "new" && event.change != "changed") {
      return verdict_.find(Verdict::foreign, "no such change: " + line.substr(0, kShown));
    }
    const auto found = session.numbers.find(std::string(label_in(event.message)));
    if (found == session.numbers.end() || found->second.hash != hash_of(event.message)) {
      return verdict_.find(Verdict::foreign, "no such entry: " + line.substr(0, kShown));
    }
    Number& number = found->second;
    const std::uint32_t id = number_of(event.id, number);
    if (id == 0) return verdict_.find(Verdict::foreign, "event.id of another entry: " + line.substr(0, kShown));
    if (std::find(number.extras.begin(), number.extras.end(), event.extra) == number.extras.end()) {
      verdict_.find(Verdict::foreign, "other unknown fields: " + line.substr(0, kShown));
    }
    const auto form = number.by_spelling.find(
        spelling_of(*how_.format, event.status, event.resource, event.log_time, event.start, event.duration));
    if (form == number.by_spelling.end()) {
      return verdict_.find(Verdict::foreign, "form never served: " + line.substr(0, kShown));
    }
    number.written.push_back({id, form->second, event.hash});
  }

  // 0: the id belongs to another entry.
  std::uint32_t number_of(const std::string& event_id, const Number& of) {
    const auto next = static_cast<std::uint32_t>(ids_.size() + 1);
    const auto [known, is_new] = ids_.try_emplace(event_id, next, &of);
    return known->second.second == &of ? known->second.first : 0;
  }

  Owed& owed_;
  Verdict& verdict_;
  const Reckoning& how_;
  std::unordered_map<std::string, std::pair<std::uint32_t, const Number*>> ids_;  // by event.id
};

// Judges the entries of one number.
class NumberJudge {
 public:
  NumberJudge(const std::string& session, const OwedSession& of, const Number& number, Verdict& verdict,
              const Reckoning& how)
      : session_(session),
        broken_(of.broken),
        forgives_(number.gap_due && of.gaps_written > 0),
        number_(number),
        verdict_(verdict),
        how_(how) {}

  void judge() {
    for (const auto& servings : number_.entries) {
      const auto owed = std::count_if(servings.begin(), servings.end(), [](const Serving& s) { return s.owed; });
      verdict_.entries += owed > 0 ? 1 : 0;
      verdict_.forms += static_cast<std::uint64_t>(owed);
    }
    find_same_twice_in_a_row();
    find_too_many_ids();
    number_.entries.size() == 1 ? judge_single() : judge_several();
  }

 private:
  void find(Verdict::Kind kind, const std::string& what) {
    verdict_.find(kind, fmt::format("{} [{}]: {}", session_, number_.shown, what));
  }

  void find_lost(const std::string& what) { forgives_ ? void(++verdict_.forgiven) : find(Verdict::lost, what); }

  void find_same_twice_in_a_row() {
    std::map<std::uint32_t, const Number::Written*> last;
    for (const Number::Written& w : number_.written) {
      const Number::Written*& before = last[w.id];
      if (before != nullptr && (before->form == w.form || before->hash == w.hash)) {
        find(Verdict::repeated, number_.forms[w.form].shown);
      }
      before = &w;
    }
  }

  void find_too_many_ids() {
    std::set<std::uint32_t> ids;
    for (const Number::Written& w : number_.written) ids.insert(w.id);
    if (ids.size() > number_.entries.size()) {
      find(Verdict::repeated, fmt::format("{} event ids for {} entries", ids.size(), number_.entries.size()));
    }
  }

  // All events of one entry are one story, whatever ids they carry: each form as often as it was served, in that order.
  void judge_single() {
    const std::vector<Serving>& served = number_.entries.front();
    std::size_t position = 0;  // of the first form that may come next
    std::vector<bool> written(served.size());
    for (std::size_t i = 0; i < number_.written.size(); ++i) {
      const std::size_t form = number_.written[i].form;
      const auto is_it = [&](const Serving& s) { return s.form == form; };
      auto at = std::find_if(served.begin() + static_cast<std::ptrdiff_t>(position), served.end(), is_it);
      const bool comes_next = at != served.end();
      if (!comes_next) at = std::find_if(served.begin(), served.end(), is_it);
      const auto index = static_cast<std::size_t>(at - served.begin());
      if (written[index] && number_.written[i - 1].form != form) {
        find(Verdict::repeated, number_.forms[form].shown);
      } else if (!comes_next && !written[index]) {
        find(Verdict::disordered, number_.forms[form].shown);
      }
      position = std::max(position, index + 1);
      written[index] = true;
    }
    judge_ends(served, written);
  }

  // A form that is served again after others which nobody saw need not be written again.
  void judge_ends(const std::vector<Serving>& served, const std::vector<bool>& written) {
    std::size_t last_owed = served.size();
    for (std::size_t i = 0; i < served.size(); ++i) last_owed = served[i].owed ? i : last_owed;
    std::size_t last_written = served.size();
    for (std::size_t i = 0; i < served.size() && i <= last_owed; ++i) last_written = written[i] ? i : last_written;
    const auto ends_in = [&](std::size_t i) {
      return last_written != served.size() && served[last_written].form == served[i].form;
    };
    for (std::size_t i = 0; i < served.size(); ++i) {
      if (!served[i].owed || written[i] || (i == last_owed && ends_in(i))) continue;
      const std::string& form = number_.forms[served[i].form].shown;
      i == last_owed ? find_lost("last form: " + form) : skipped(1, form);
    }
  }

  void skipped(std::uint64_t count, const std::string& form) {
    verdict_.skipped += count;
    if (how_.exact) find_lost("form in between: " + form);
  }

  // Nobody can tell which is which, so only numbers can be compared: how often each form was written, and how many ids
  // end in it.
  void judge_several() {
    std::map<std::uint32_t, std::size_t> ends;
    std::map<std::size_t, std::uint64_t> writes;
    for (const Number::Written& w : number_.written) {
      ends[w.id] = w.form;
      ++writes[w.form];
    }
    std::map<std::size_t, std::uint64_t> served, wanted;
    bool ends_open = false;  // some entry's last form was in a broken response only
    for (const auto& servings : number_.entries) {
      for (const Serving& s : servings) ++served[s.form];
      const auto last = std::find_if(servings.rbegin(), servings.rend(), [](const Serving& s) { return s.owed; });
      if (last != servings.rend()) ++wanted[last->form];
      ends_open |= last != servings.rbegin();
    }
    std::map<std::size_t, std::uint64_t> ended;
    for (const auto& [id, form] : ends) ++ended[form];
    for (const auto& [form, count] : wanted) {
      const std::uint64_t have = ends_open ? writes[form] : ended[form];
      if (have < count) find_lost(fmt::format("{} of {}: {}", count - have, count, number_.forms[form].shown));
    }
    // A broken response may show only some of them; then the daemon pairs them otherwise, rightly.
    if (broken_) return;
    for (const auto& [form, count] : writes) {
      if (count > served[form]) {
        find(Verdict::repeated, fmt::format("{} times for {}: {}", count, served[form], number_.forms[form].shown));
      }
    }
  }

  const std::string& session_;
  const bool broken_;
  const bool forgives_;
  const Number& number_;
  Verdict& verdict_;
  const Reckoning& how_;
};

void judge_errors(const std::string& name, const OwedSession& session, Verdict& verdict) {
  for (const auto& [raw, error] : session.errors) {
    verdict.errors_owed += error.owed;
    if (error.written >= error.owed) continue;
    error.gap_due&& session.gaps_written > 0 ? void(++verdict.forgiven)
                                             : verdict.find(Verdict::lost, name + " error event: " + raw);
  }
}

}  // namespace

Verdict reckon(const std::string& ledger, const std::vector<std::string>& events, const Reckoning& how) {
  Verdict verdict;
  Owed owed = Owed::read(ledger, *how.format);
  Reading reading(owed, verdict, how);
  for (const std::string& path : events) reading.read(path);
  for (const std::string& session : owed.unread()) {
    ++verdict.unread;
    if (how.complete) verdict.find(Verdict::unfinished, session);
  }
  for (const auto& [name, session] : owed.sessions()) {
    ++verdict.sessions;
    for (const auto& [label, number] : session.numbers) NumberJudge(name, session, number, verdict, how).judge();
    judge_errors(name, session, verdict);
  }
  return verdict;
}

}  // namespace fleet
