#include "core/polling/session_marks.h"

#include <algorithm>
#include <utility>

#include "core/polling/session_list.h"

namespace sessionlogd {
namespace {

using Kind = DoneMark::Kind;

}  // namespace

SessionMarks::SessionMarks(RestoredSource& restored)
    : done_(std::exchange(restored.done, {})),
      fingerprints_(std::exchange(restored.fingerprints, {})),
      kept_(std::exchange(restored.kept, {})) {}

void SessionMarks::release(RestoredSource& to) {
  to.done = std::exchange(done_, {});
  to.fingerprints = std::exchange(fingerprints_, {});
  to.kept = std::exchange(kept_, {});
}

std::size_t SessionMarks::delivered_since(Instant since) const {
  std::size_t count = 0;
  done_.for_each([&](std::uint64_t, const DoneMark& mark, bool) {
    if (mark.kind == Kind::kDelivered && mark.made >= since) ++count;
  });
  return count;
}

Instant SessionMarks::latest() const {
  Instant latest = kNever;
  done_.for_each([&](std::uint64_t, const DoneMark& mark, bool) { latest = std::max(latest, mark.latest); });
  return latest;
}

void SessionMarks::put(std::uint64_t key, const DoneMark& mark, std::vector<StateRecord>& records) {
  records.push_back({key, StateRecord::kSessionPart, encode_mark(mark)});
  done_.put(key, mark);
}

void SessionMarks::put_end(SessionState& state, Instant now, std::vector<StateRecord>& records) {
  DoneMark mark = append_end(state, now, records);
  if (mark.kind == Kind::kDelivered) {
    mark.place = fingerprints_.put(state.key, state.history);
  } else if (state.history.size() > 0) {
    kept_[state.key] = std::move(state.history);
  }
  done_.put(state.key, mark);
  keep_bound(records);
}

// What is dropped to keep the bound leaves a mark with its sum.
void SessionMarks::keep_bound(std::vector<StateRecord>& records) {
  fingerprints_.keep_within(most_fingerprint_bytes_, [&](std::uint64_t key, std::size_t entries) {
    append_removal_of_fingerprints(key, entries, records);
  });
}

void SessionMarks::shown(std::uint64_t key, DoneMark& mark, std::vector<StateRecord>& records) {
  if (!done_.shown(key)) return;
  mark.absent_since.reset();
  records.push_back({key, StateRecord::kSessionPart, encode_mark(mark)});
}

void SessionMarks::take(const DoneMark& mark, SessionState& state) {
  state.shift = mark.shift;
  if (auto history = fingerprints_.take(state.key, mark.place)) {
    state.history = std::move(*history);
  } else {
    open_again(state, mark);
    if (auto kept = kept_.extract(state.key)) state.history = std::move(kept.mapped());
  }
  done_.erase(state.key);
}

void SessionMarks::look(const DoneMark& mark, SessionState& state) const {
  state.shift = mark.shift;
  if (auto history = fingerprints_.find(state.key, mark.place)) {
    state.history = std::move(*history);
  } else {
    open_again(state, mark);
  }
}

std::size_t SessionMarks::end_sweep(Watched now, std::optional<Watched> third_last, Absence absence,
                                    std::chrono::milliseconds retention, std::vector<StateRecord>& records) {
  if (absence == Absence::kProvesNothing) return 0;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  std::vector<std::uint64_t> absent, gone;
  done_.for_each([&](std::uint64_t key, const DoneMark& mark, bool was_shown) {
    if (was_shown || (absence == Absence::kOfThoseWithStart && !has_start(mark.digest))) return;
    if (!mark.absent_since) {
      absent.push_back(key);
    } else if (third_last && *mark.absent_since <= *third_last && seconds - *mark.absent_since >= retention) {
      gone.push_back(key);
    }
  });
  for (const std::uint64_t key : absent) {
    DoneMark mark = *done_.find(key);
    mark.absent_since = seconds;
    put(key, mark, records);
  }
  for (const std::uint64_t key : gone) remove(key, records);
  return gone.size();
}

std::size_t SessionMarks::forget_left_alone(Instant since, bool again, std::vector<StateRecord>& records) {
  std::vector<std::uint64_t> keys;
  done_.for_each([&](std::uint64_t key, const DoneMark& mark, bool) {
    const bool counts = mark.kind == Kind::kLeftAlone || (again && mark.kind == Kind::kBefore);
    if (counts && (mark.start == kNever || mark.start >= since)) keys.push_back(key);
  });
  for (const std::uint64_t key : keys) remove(key, records);
  return keys.size();
}

void SessionMarks::remove(std::uint64_t key, std::vector<StateRecord>& records) {
  const DoneMark mark = *done_.find(key);
  const auto kept = kept_.extract(key);
  append_removal(key, kept ? kept.mapped().size() : 0, records);
  if (const auto entries = fingerprints_.take(key, mark.place))
    append_removal_of_fingerprints(key, entries->size(), records);
  done_.erase(key);
}

}  // namespace sessionlogd
