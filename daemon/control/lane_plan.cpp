#include "daemon/control/lane_plan.h"

#include <algorithm>

namespace sessionlogd {

void LanePlan::told(const Membership& now_is, SteadyTime now) {
  for (const Partition partition : now_is.owned) {
    Part& part = parts_[partition];
    if (now_is.is_member && !told_.owned.contains(partition)) part.not_before.reset();
  }
  for (const Partition partition : now_is.revoked) {
    Part& part = parts_[partition];
    if (!told_.revoked.contains(partition)) part.release_until = now + kReleaseMayTake;
  }
  told_ = now_is;
  for (auto& [partition, part] : parts_) {
    if (!told_.revoked.contains(partition)) part.handed_back_at.reset();
  }
}

void LanePlan::reads(Partition partition, std::uint64_t rows, SteadyTime now) {
  Part& part = parts_[partition];
  if (part.rows == rows) return;
  part.rows = rows;
  part.moved_at = now;
}

void LanePlan::failed(Partition partition, Failure how, SteadyTime now) {
  Part& part = parts_[partition];
  if (part.is == Is::kNone || part.has_failed) return;
  part.has_failed = true;
  part.is_refused = how == Failure::kRefused;
  switch (how) {
    case Failure::kRefused:
      part.not_before = now + kWaitWhenRefused;
      break;
    case Failure::kFenced:
      was_fenced(part, now);
      break;
    case Failure::kLost:
      part.not_before = now + kFirstWaitWhenFenced;
      break;
  }
}

// What fences us again and again has a wrong belief, or we have.
void LanePlan::was_fenced(Part& part, SteadyTime now) {
  std::erase_if(part.fenced_at, [&](SteadyTime at) { return at + kFencedAgainWithin <= now; });
  part.not_before = now + std::min(kMostWaitWhenFenced,
                                   kFirstWaitWhenFenced * (1 << std::min<std::size_t>(part.fenced_at.size(), 8)));
  part.fenced_at.push_back(now);
  if (part.fenced_at.size() < kFencedTooOften) return;
  part.fenced_at.clear();
  must_rejoin_ = true;
}

void LanePlan::try_again() {
  for (auto& [partition, part] : parts_) {
    if (part.is_refused) part.not_before.reset();
  }
}

bool LanePlan::is_wanted(Partition partition) const {
  return !is_leaving_ && told_.owned.contains(partition) && !told_.revoked.contains(partition);
}

std::vector<LanePlan::Step> LanePlan::next(SteadyTime now) {
  std::vector<Step> steps;
  for (auto& [partition, part] : parts_) step(partition, part, now, steps);
  begin_takeovers(now, steps);
  if (must_rejoin_ && told_.is_member && !is_leaving_) {
    must_rejoin_ = false;
    steps.push_back({Do::kRejoin});
  }
  return steps;
}

void LanePlan::step(Partition partition, Part& part, SteadyTime now, std::vector<Step>& steps) {
  const bool is_known_to_go = told_.is_member || is_leaving_ || told_.revoked.contains(partition);
  const bool goes = is_known_to_go && !is_wanted(partition);
  const bool has_lane = part.is == Is::kTakingOver || part.is == Is::kOurs;
  if (has_lane && part.has_failed) {
    drop(partition, part, steps);
  } else if (part.is == Is::kTakingOver && (goes || !told_.is_member)) {
    drop(partition, part, steps);
  } else if (part.is == Is::kOurs && goes) {
    part.is = Is::kEnding;
    if (!told_.revoked.contains(partition)) part.release_until = now + kReleaseMayTake;
    steps.push_back({Do::kRelease, partition});
  }
  const bool is_late = part.release_until && now >= *part.release_until;
  if (part.is == Is::kEnding && is_late && !part.is_dropped) drop(partition, part, steps);
  if (!told_.revoked.contains(partition)) return;
  if (part.handed_back_at && now - *part.handed_back_at < kHandsBackAgainAfter) return;
  if (part.is != Is::kNone && !(part.is == Is::kEnding && is_late)) return;
  part.handed_back_at = now;
  steps.push_back({Do::kHandBack, partition});
}

void LanePlan::drop(Partition partition, Part& part, std::vector<Step>& steps) {
  part.is = Is::kEnding;
  part.is_dropped = true;
  steps.push_back({Do::kDrop, partition});
}

void LanePlan::begin_takeovers(SteadyTime now, std::vector<Step>& steps) {
  if (!told_.is_member) return;
  std::size_t under_way = 0;
  for (const auto& [partition, part] : parts_)
    under_way += part.is == Is::kTakingOver && now - part.moved_at < kTakeoverMayStandStill ? 1 : 0;
  for (auto& [partition, part] : parts_) {
    if (under_way >= kMostTakeovers) return;
    if (part.is != Is::kNone || !is_wanted(partition) || (part.not_before && now < *part.not_before)) continue;
    part.is = Is::kTakingOver;
    part.has_failed = part.is_dropped = part.is_refused = false;
    part.not_before.reset();
    part.release_until.reset();
    part.rows = 0;
    part.moved_at = now;
    ++under_way;
    steps.push_back({Do::kTakeOver, partition});
  }
}

LanePlan::Is LanePlan::is(Partition partition) const {
  const auto part = parts_.find(partition);
  return part == parts_.end() ? Is::kNone : part->second.is;
}

bool LanePlan::is_refused(Partition partition) const {
  const auto part = parts_.find(partition);
  return part != parts_.end() && part->second.is_refused;
}

bool LanePlan::is_idle() const {
  return std::ranges::all_of(parts_, [](const auto& part) { return part.second.is == Is::kNone; });
}

LaneDoubt::Verdict LaneDoubt::look(const Lane& lane, const Queue& queue, SteadyTime now) {
  Verdict verdict;
  if (lane.is_quiet && !was_quiet_) {
    verdict.asks = true;
    rests_until_ = queue.pushed + 1;
  }
  was_quiet_ = lane.is_quiet;
  if (lane.is_member) {
    asked_at_.reset();
  } else if (!asked_at_ || (queue.pushed == queue.committed && now - *asked_at_ >= kAsksEvery)) {
    asked_at_ = now;
    verdict.asks = true;
  }
  if (rests_until_ && queue.committed >= *rests_until_) rests_until_.reset();
  // A member's batches may wait for the next commit as long as they have to; others know by a commit alone.
  const std::optional<SteadyTime>& since = lane.is_member ? queue.offered : queue.oldest;
  if (rests_until_) {
    verdict.rests = Why::kStoodStill;
  } else if (lane.is_shut_out) {
    verdict.rests = Why::kShutOut;
  } else if (since && now - *since >= kRestsAfter) {
    verdict.rests = Why::kNotAnswered;
  }
  return verdict;
}

}  // namespace sessionlogd
