#include "tests/support/reckoning.h"

#include <algorithm>

namespace sessionlogd::test {

void Reckoning::Encoder::append(const Event& event, LineBuffer& out) {
  if (event.kind == EventKind::kGap) {
    out += "gap\n";
    return;
  }
  out += event.message;
  out += '\t';
  out += event.status;
  out += '\n';
}

void Reckoning::take(const Batch& batch) {
  std::size_t begin = 0;
  for (const EventRef& ref : batch.index) {
    const std::string_view line(batch.events.data() + begin, ref.size - 1);
    begin += ref.size;
    const std::size_t tab = line.find('\t');
    if (tab == line.npos) {
      ++gaps_;
      continue;
    }
    Entry& entry = sources_[batch.source_id][std::string(line.substr(0, tab))];
    ++entry.forms[std::string(line.substr(tab + 1))];
    ++entry.ids[{batch.session_key, ref.entry_key}];
  }
}

std::size_t Reckoning::twice() const {
  std::size_t twice = 0;
  for (const auto& [source, entries] : sources_) {
    for (const auto& [message, entry] : entries) {
      const bool repeated = std::ranges::any_of(entry.forms, [](const auto& form) { return form.second > 1; });
      twice += repeated || entry.ids.size() > 1;
    }
  }
  return twice;
}

std::size_t Reckoning::entries_of(std::string_view source, const SimulatedAppliance& appliance,
                                  std::size_t session) const {
  std::size_t entries = 0;
  for (std::size_t entry = 0; entry < appliance.plan()[session].shown_at(now_ms()); ++entry)
    entries += find(source, session, entry) != nullptr;
  return entries;
}

std::size_t Reckoning::missing(std::string_view source, const SimulatedAppliance& appliance, std::size_t begin,
                               std::size_t end, std::chrono::milliseconds shown_ago) const {
  std::size_t missing = 0;
  for (std::size_t session = begin; session < end; ++session) {
    const std::size_t shown = appliance.plan()[session].shown_at(now_ms() - shown_ago.count());
    for (std::size_t entry = 0; entry < shown; ++entry) missing += find(source, session, entry) == nullptr;
  }
  return missing;
}

std::size_t Reckoning::not_final(std::string_view source, const SimulatedAppliance& appliance, std::size_t begin,
                                 std::size_t end) const {
  std::size_t not_final = 0;
  for (std::size_t session = begin; session < end; ++session) {
    const PlannedSession& planned = appliance.plan()[session];
    if (planned.last_stop_ms() > now_ms()) continue;
    for (std::size_t entry = 0; entry < planned.shown_at(now_ms()); ++entry) {
      const Entry* found = find(source, session, entry);
      not_final += found == nullptr || !found->forms.contains("Success");
    }
  }
  return not_final;
}

const Reckoning::Entry* Reckoning::find(std::string_view source, std::size_t session, std::size_t entry) const {
  const auto entries = sources_.find(source);
  if (entries == sources_.end()) return nullptr;
  const auto found = entries->second.find(SimulatedAppliance::message_of(session, entry));
  return found == entries->second.end() ? nullptr : &found->second;
}

}  // namespace sessionlogd::test
