#include "sinks/kafka/kafka_membership.h"

#include <algorithm>
#include <utility>

namespace sessionlogd {

void KafkaMembership::assigned(const Numbers& partitions) {
  if (leaving_) return;
  ++rebalances_;
  for (const std::int32_t number : partitions) {
    const auto partition = static_cast<Partition>(number);
    (partition < partitions_ ? held_ : beyond_).insert(partition);
  }
  is_member_ = true;
  for (const Partition partition : std::exchange(believed_, {})) {
    if (held_.contains(partition)) continue;
    revoked_.insert(partition);
    lost_.insert(partition);
  }
}

void KafkaMembership::revoked(const Numbers& partitions) {
  handing_ = true;
  for (const std::int32_t number : partitions) {
    const auto partition = static_cast<Partition>(number);
    beyond_.erase(partition);
    if (held_.erase(partition) > 0) revoked_.insert(partition);
    if (revoked_.contains(partition)) asked_.insert(partition);
  }
}

// A hint only: lanes go on while their commits are accepted.
void KafkaMembership::lost() {
  is_member_ = false;
  believed_.merge(held_);
  held_.clear();
  beyond_.clear();
}

void KafkaMembership::leave() {
  leaving_ = true;
  revoked_.merge(held_);
  revoked_.merge(believed_);
  held_.clear();
  believed_.clear();
  is_member_ = false;
}

bool KafkaMembership::take_handing() {
  std::erase_if(asked_, [&](Partition partition) { return !revoked_.contains(partition); });
  if (!handing_ || !asked_.empty()) return false;
  handing_ = false;
  return true;
}

Membership KafkaMembership::membership() const {
  Membership told{is_member_ && !hangs_, {}, revoked_, lost_};
  for (const std::set<Partition>* set : {&held_, &believed_}) {
    for (const Partition partition : *set) {
      if (!revoked_.contains(partition)) told.owned.insert(partition);  // else its life before is not over yet
    }
  }
  return told;
}

bool KafkaMembership::is_ours(Partition partition) const {
  return is_member_ && !hangs_ && held_.contains(partition) && !revoked_.contains(partition);
}

}  // namespace sessionlogd
