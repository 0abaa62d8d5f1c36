#include "core/absent_sources.h"

#include <utility>

namespace sessionlogd {
namespace {

bool is_empty(const RestoredSource& state) {
  return state.sessions.empty() && state.done.empty() && !state.source.listed_to;
}

void append_source(const SourceState& source, std::vector<StateRecord>& records) {
  records.push_back({0, StateRecord::kSourcePart, encode_source(source)});
}

void append_removal_of_all(const RestoredSource& state, std::vector<StateRecord>& records) {
  records.push_back({0, StateRecord::kSourcePart, {}});
  for (const auto& [key, session] : state.sessions) append_removal(key, session.history, records);
  for (const auto& [key, mark] : state.done) {
    const auto untimed = state.untimed.find(key);
    append_removal(key, untimed == state.untimed.end() ? SessionHistory() : untimed->second, records);
  }
}

}  // namespace

bool AbsentSources::leave(const std::string& id, RestoredSource state, Instant now, std::vector<StateRecord>& records) {
  if (is_empty(state)) return false;
  auto& since = state.source.absent_since;
  if (!since) {
    since = now;
    append_source(state.source, records);
  }
  const std::int64_t keep = std::chrono::nanoseconds(keep_).count();
  if (add_nanoseconds(*since, keep).value_or(now) < now) {
    append_removal_of_all(state, records);
    return true;
  }
  absent_[id] = std::move(state);
  return false;
}

RestoredSource AbsentSources::come_back(const std::string& id, std::vector<StateRecord>& records) {
  auto found = absent_.extract(id);
  if (!found) return {};
  RestoredSource state = std::move(found.mapped());
  state.source.absent_since.reset();
  append_source(state.source, records);
  return state;
}

}  // namespace sessionlogd
