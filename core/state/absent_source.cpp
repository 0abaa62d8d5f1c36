#include "core/state/absent_source.h"

namespace sessionlogd {
namespace {

void append_source(const SourceState& source, std::vector<StateRecord>& records) {
  records.push_back({0, StateRecord::kSourcePart, encode_source(source)});
}

void append_removal_of_all(RestoredSource& state, std::vector<StateRecord>& records) {
  records.push_back({0, StateRecord::kSourcePart, {}});
  for (const auto& [key, session] : state.sessions) append_removal(key, session.history.size(), records);
  state.done.for_each([&](std::uint64_t key, const DoneMark& mark, bool) {
    if (const auto kept = state.kept.find(key); kept != state.kept.end()) {
      append_removal(key, kept->second.size(), records);
      return;
    }
    append_removal(key, 0, records);
    if (const auto entries = state.fingerprints.take(key, mark.place))
      append_removal_of_fingerprints(key, entries->size(), records);
  });
}

}  // namespace

bool mark_absent(RestoredSource& state, std::chrono::milliseconds keep, Instant now,
                 std::vector<StateRecord>& records) {
  auto& since = state.source.absent_since;
  if (!since) {
    since = now;
    append_source(state.source, records);
  }
  if (add_nanoseconds(*since, std::chrono::nanoseconds(keep).count()).value_or(now) >= now) return false;
  append_removal_of_all(state, records);
  return true;
}

void mark_present(RestoredSource& state, std::vector<StateRecord>& records) {
  if (!state.source.absent_since) return;
  state.source.absent_since.reset();
  append_source(state.source, records);
}

}  // namespace sessionlogd
