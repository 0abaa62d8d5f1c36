// What remains of sessions that are done or left alone, and what sweeps say of it.
#include <utility>

#include "core/polling/session_table.h"

namespace sessionlogd {

void SessionTable::put_mark(std::uint64_t key, DoneMark mark, std::vector<StateRecord>& records) {
  records.push_back({key, StateRecord::kSessionPart, encode_mark(mark)});
  done_.put(key, mark);
}

void SessionTable::mark_left_alone(const ListedSession& listed, std::uint64_t key, std::vector<StateRecord>& records) {
  ++left_alone_;
  put_mark(key,
           {.kind = DoneMark::Kind::kLeftAlone,
            .digest = listed.digest,
            .start = info_of(listed).start.value_or(kNever),
            .stop_hash = listed.stop_hash},
           records);
}

void SessionTable::begin_sweep() {
  done_.begin_sweep();
  left_alone_ = 0;
}

std::size_t SessionTable::end_sweep(Watched now, Absence absence, std::vector<StateRecord>& records) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const std::optional<Watched> third_last = source_.sweeps[1];
  source_.sweeps = {source_.sweeps[1], source_.sweeps[2], now};
  source_.before.reset();
  source_.reading = reading_of(settings_);

  if (absence == Absence::kProvesNothing) return 0;

  std::vector<std::uint64_t> absent, gone;
  done_.for_each([&](std::uint64_t key, const DoneMark& mark, bool was_shown) {
    if (was_shown || (absence == Absence::kOfThoseWithStart && !has_start(mark.digest))) return;
    if (!mark.absent_since) {
      absent.push_back(key);
    } else if (third_last && *mark.absent_since <= *third_last &&
               seconds - *mark.absent_since >= settings_.poll.retention) {
      gone.push_back(key);
    }
  });
  for (const std::uint64_t key : absent) {
    DoneMark mark = *done_.find(key);
    mark.absent_since = seconds;
    put_mark(key, mark, records);
  }
  for (const std::uint64_t key : gone) remove_mark(key, records);
  return gone.size();
}

void SessionTable::remove_mark(std::uint64_t key, std::vector<StateRecord>& records) {
  const DoneMark mark = *done_.find(key);
  const auto kept = kept_.extract(key);
  append_removal(key, kept ? kept.mapped().size() : 0, records);
  if (const auto entries = fingerprints_.take(key, mark.place))
    append_removal_of_fingerprints(key, entries->size(), records);
  done_.erase(key);
}

std::size_t SessionTable::forget_left_alone(Instant since, bool again, std::vector<StateRecord>& records) {
  std::vector<std::uint64_t> keys;
  done_.for_each([&](std::uint64_t key, const DoneMark& mark, bool) {
    const bool counts = mark.kind == DoneMark::Kind::kLeftAlone || (again && mark.kind == DoneMark::Kind::kBefore);
    if (counts && (mark.start == kNever || mark.start >= since)) keys.push_back(key);
  });
  for (const std::uint64_t key : keys) remove_mark(key, records);
  if (source_.line) source_.line = std::min(*source_.line, since);
  if (again && source_.before) source_.before = std::min(*source_.before, since);
  // The sweep that brings them is wanted after a restart, too.
  source_.sweeps = {};
  source_.sweep_place.reset();
  records.push_back({0, StateRecord::kSourcePart, encode_source(source_)});
  return keys.size();
}

}  // namespace sessionlogd
