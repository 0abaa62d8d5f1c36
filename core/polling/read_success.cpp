#include "core/polling/read_success.h"

#include <algorithm>

namespace sessionlogd {
namespace {

// Not what passes by itself.
bool is_refusal(const Error& why) {
  return why.kind == ErrorKind::kRefused || why.kind == ErrorKind::kBadResponse ||
         (why.kind == ErrorKind::kLogInAgain && why.http_status != 0);
}

}  // namespace

ReadSuccess::ReadSuccess(std::chrono::milliseconds max_interval, std::chrono::milliseconds timeout)
    : max_interval_(max_interval), none_read_(std::max(max_interval * kIntervals, timeout)) {}

void ReadSuccess::asked(std::uint64_t session_key, SteadyTime now) {
  owed_.try_emplace(session_key, Owed{.since = now, .held = held_});
}

void ReadSuccess::read(std::uint64_t session_key, SteadyTime now) {
  owed_.erase(session_key);
  read_ = Owed{.since = now, .held = held_};
  ++reads_;
  refused_ = 0;
}

void ReadSuccess::failed(std::uint64_t session_key, const Error& why, SteadyTime now, About about) {
  Owed& owed = owed_.try_emplace(session_key, Owed{.since = now, .held = held_}).first->second;
  ++owed.failures;
  if (about == About::kSource) {
    owed.lacks_since = 0;
  } else if (owed.lacks_since == 0) {
    owed.lacks_since = reads_;
  }
  if (lacks_only_its_own(owed)) return;
  last_failure_ = why;
  if (!is_refusal(why) || owed.refused_in == reads_) return;
  owed.refused_in = reads_;
  ++refused_;
}

void ReadSuccess::gone(std::uint64_t session_key) {
  const auto owed = owed_.find(session_key);
  if (owed == owed_.end()) return;
  if (owed->second.refused_in == reads_) --refused_;
  owed_.erase(owed);
}

const ReadSuccess::Judgement& ReadSuccess::judge(Judged judged, std::size_t due, SteadyTime now) {
  if (held_since_) held_ += now - *held_since_;
  held_since_ = judged == Judged::kNotNow ? std::optional(now) : std::nullopt;
  if (judged == Judged::kYes) judgement_ = look(due, now);
  return judgement_;
}

ReadSuccess::Judgement ReadSuccess::look(std::size_t due, SteadyTime now) const {
  const SteadyClock::duration none_for = without_a_read(now);
  if (none_for >= none_read_) {
    return {.verdict = Verdict::kNoneRead, .span = std::chrono::duration_cast<std::chrono::seconds>(none_for)};
  }
  if (refused_ >= kSessions && (2 * refused_ >= due || none_for >= max_interval_))
    return {.verdict = Verdict::kRefuses};
  if (owed_.size() < kSessions) return {};
  const std::size_t failing = failing_for_long(now);
  if (failing >= kSessions && failing * kShare >= due) return {.verdict = Verdict::kManyFail, .sessions = failing};
  return {};
}

// While one was owed: since it was, or since another was read.
SteadyClock::duration ReadSuccess::without_a_read(SteadyTime now) const {
  SteadyClock::duration longest{0}, longest_of_lacking{0};
  std::size_t lacking = 0;
  for (const auto& [key, owed] : owed_) {
    if (lacks_only_its_own(owed)) continue;
    SteadyClock::duration& of = owed.lacks_since != 0 ? longest_of_lacking : longest;
    of = std::max(of, judged_for(owed, now));
    lacking += owed.lacks_since != 0;
  }
  if (lacking >= kSessions) longest = std::max(longest, longest_of_lacking);
  return read_ ? std::min(longest, judged_for(*read_, now)) : longest;
}

std::size_t ReadSuccess::failing_for_long(SteadyTime now) const {
  return static_cast<std::size_t>(std::ranges::count_if(owed_, [&](const auto& of) {
    return of.second.failures > 0 && !lacks_only_its_own(of.second) && judged_for(of.second, now) >= kFailing;
  }));
}

std::size_t ReadSuccess::failing() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(owed_, [](const auto& of) { return of.second.failures >= kInARow; }));
}

std::optional<SteadyTime> ReadSuccess::owed_since() const {
  std::optional<SteadyTime> first;
  for (const auto& [key, owed] : owed_) first = std::min(first.value_or(owed.since), owed.since);
  return first;
}

}  // namespace sessionlogd
