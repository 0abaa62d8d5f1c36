// What a member of a group believes to own, from what librdkafka tells it. Knows nothing of librdkafka, threads or
// clocks.
//
//   assigned ─▶ owned ─▶ revoked ─▶ released by all that was revoked together ─▶ handed back
//                 └────▶ lost: still believed, until the group says again what is ours
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "core/state/lane_group.h"

namespace sessionlogd {

class KafkaMembership {
 public:
  // What is assigned beyond that many partitions is held and left alone.
  explicit KafkaMembership(std::size_t partitions) : partitions_(partitions) {}

  using Numbers = std::vector<std::int32_t>;
  void assigned(const Numbers& partitions);
  void revoked(const Numbers& partitions);
  void lost();

  // A thread of ours does, so that nobody listens to the group: it may give us up meanwhile, and we are no member.
  void hangs(bool so) { hangs_ = so; }

  void released(Partition partition) {
    revoked_.erase(partition);
    lost_.erase(partition);
  }

  // Everything is to be released; what is still assigned goes back at once. Until stay().
  void leave();
  void stay() { leaving_ = false; }

  // To be handed back, in one piece, once none of them waits for its release: true once for each revoked().
  bool take_handing();
  bool is_handing() const { return handing_; }
  bool owns_nothing() const { return held_.empty() && believed_.empty() && revoked_.empty() && !handing_; }

  Membership membership() const;
  bool is_ours(Partition partition) const;  // the group says so, now
  std::size_t beyond() const { return beyond_.size(); }
  // Each ends with our being told what is ours, whatever was revoked on the way.
  std::uint64_t rebalances() const { return rebalances_; }

 private:
  std::size_t partitions_;
  bool is_member_ = false, hangs_ = false, leaving_ = false, handing_ = false;
  std::set<Partition> held_;      // assigned, and not revoked
  std::set<Partition> believed_;  // held before the group was lost
  std::set<Partition> revoked_;   // not released yet
  std::set<Partition> lost_;      // of those: believed, and others have them
  std::set<Partition> asked_;     // revoked together: waited for before they are handed back
  std::set<Partition> beyond_;
  std::uint64_t rebalances_ = 0;
};

}  // namespace sessionlogd
