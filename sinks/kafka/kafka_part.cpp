#include "sinks/kafka/kafka_part.h"

#include <fmt/format.h>

#include <algorithm>

namespace sessionlogd {

Result<void> KafkaPart::check_record(const std::optional<CommitRecord>& last) const {
  const bool same_bond = last && (last->version == 0 || last->bond == bond_);
  if (last && last->partitions == part_.of && same_bond) return {};
  std::string what = "has no commit record: it was emptied or made anew";
  if (last && same_bond) {
    what =
        fmt::format("is one of {} and was one of {} at the last commit ({})", part_.of, last->partitions, last->time);
  } else if (last) {
    what = fmt::format("belongs to group {}, topic {}, format {} and not to group {}, topic {}, format {}",
                       last->bond.group, last->bond.topic, last->bond.format, bond_.group, bond_.topic, bond_.format);
  }
  return Error(ErrorKind::kRefused,
               fmt::format("partition {} of state topic {} {}", part_.partition, state_topic_, what));
}

// Compaction moves neither end. A takeover that failed counts as well: what was seen once must still be there.
Result<void> KafkaPart::check_bounds(const CommitRecord& last, KafkaReader& state, Patience& patience) {
  const Result<KafkaReader::Bounds> now = state.bounds(part_.partition, patience);
  if (!now) return now.error();
  const KafkaReader::Bounds before = bounds_.value_or(KafkaReader::Bounds{last.log_start.value_or(now->first), 0});
  if (now->first > before.first || now->end < before.end) {
    return Error(ErrorKind::kRefused,
                 fmt::format("partition {} of state topic {} was emptied or cut: it holds offsets {} to {}, and held "
                             "{} to {} at least",
                             part_.partition, state_topic_, now->first, now->end, before.first, before.end));
  }
  bounds_ = {before.first, now->end};
  return {};
}

Error KafkaPart::taken_over_by(const CommitRecord& other) const {
  return Error(ErrorKind::kFenced,
               fmt::format("partition {} of state topic {} has been taken over: on {}, instance {}, commit {} at {}",
                           part_.partition, state_topic_, other.host, other.instance, other.sequence, other.time));
}

void KafkaPart::sign(CommitRecord& record) const {
  record.version = kLaneVersion;
  if (bounds_) record.log_start = bounds_->first;
  record.bond = bond_;
}

}  // namespace sessionlogd
