#include "core/polling/verify_round.h"

#include <algorithm>
#include <iterator>

namespace sessionlogd {
namespace {

// Of the interval: what is left of it is for what came between.
constexpr int kSpreadOverTenths = 9;

}  // namespace

void VerifyRound::begin(Watched now, std::size_t sessions) {
  place_.begun = now;
  place_.goes_on = true;
  place_.key = 0;
  place_.tally = {.of = sessions};
}

Instant VerifyRound::since(Watched now, Instant ours) const {
  const Watched back = now - place_.begun.value_or(now) + span();
  return add_nanoseconds(ours, -std::chrono::nanoseconds(back).count()).value_or(ours);
}

const VerifyTally& VerifyRound::end(Instant ours) {
  place_.goes_on = false;
  place_.last = place_.tally;
  place_.tally = {};
  place_.ended = ours;
  held_.clear();
  put_off_.clear();
  left_out_ = false;
  return place_.last;
}

void VerifyRound::begin_walk() {
  held_.clear();
  left_out_ = false;
}

// Of what the marks say some is not listed any more: what the listing has offered is all that can be read.
void VerifyRound::end_walk() {
  if (!left_out_) place_.tally.of = place_.tally.sessions + place_.tally.could_not + held_.size();
}

void VerifyRound::offer(std::uint64_t session_key, std::string_view id) {
  if (session_key <= place_.key) return;
  if (held_.size() == kMostHeld) {
    if (session_key > held_.rbegin()->first) {
      left_out_ = true;
      return;
    }
    if (held_.contains(session_key)) return;
    held_.erase(std::prev(held_.end()));
    left_out_ = true;
  }
  held_.try_emplace(session_key, id);
  // Marks of a clock that was wrong are not counted by it.
  const std::uint64_t seen = place_.tally.sessions + place_.tally.could_not + held_.size();
  place_.tally.of = std::max(place_.tally.of, seen);
}

std::optional<std::pair<std::uint64_t, std::string>> VerifyRound::next() const {
  if (held_.empty()) return std::nullopt;
  return *held_.begin();
}

void VerifyRound::was_compared(std::uint64_t session_key, std::size_t late) {
  if (put_off_.erase(session_key) > 0) {
    --place_.tally.could_not;
  } else {
    deal_with(session_key);
  }
  ++place_.tally.sessions;
  place_.tally.late += late;
}

void VerifyRound::could_not(std::uint64_t session_key) {
  if (put_off_.erase(session_key) > 0) return;  // it was counted then
  deal_with(session_key);
  ++place_.tally.could_not;
}

void VerifyRound::put_off(std::uint64_t session_key) {
  if (put_off_.contains(session_key)) return;
  if (put_off_.size() < kMostHeld) put_off_.insert(held_.extract(session_key));
  deal_with(session_key);
  ++place_.tally.could_not;
}

void VerifyRound::deal_with(std::uint64_t session_key) {
  held_.erase(session_key);
  place_.key = session_key;
}

std::chrono::milliseconds VerifyRound::least_gap() const {
  return std::chrono::ceil<std::chrono::milliseconds>(std::chrono::duration<double>(1.0 / (kShareOfRate * rate_)));
}

std::chrono::milliseconds VerifyRound::gap(Watched now) const {
  const VerifyTally& tally = place_.tally;
  const std::uint64_t dealt_with = tally.sessions + tally.could_not;
  const auto left = static_cast<std::int64_t>(tally.of > dealt_with ? tally.of - dealt_with : 1);
  const Watched until = place_.begun.value_or(now) + interval_ * kSpreadOverTenths / 10;
  return std::max(least_gap(), std::max(until - now, Watched{0}) / left);
}

}  // namespace sessionlogd
