// One partition of the state topic as it must be found: what its last commit record says of it, and that nothing was
// taken away from it since.
#pragma once

#include <optional>
#include <string>

#include "core/base/patience.h"
#include "core/base/result.h"
#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_rows.h"

namespace sessionlogd {

class KafkaPart {
 public:
  KafkaPart(const StatePart& part, std::string state_topic, GroupBond bond)
      : part_(part), state_topic_(std::move(state_topic)), bond_(std::move(bond)) {}

  // kRefused: it was emptied or made anew, is one of another number, or another group's. Every partition was given a
  // record before any had a writer.
  Result<void> check_record(const std::optional<CommitRecord>& last) const;

  // kRefused: its front or its end is gone. The first call compares with what the record says.
  Result<void> check_bounds(const CommitRecord& last, KafkaReader& state, Patience& patience);

  // kFenced.
  Error taken_over_by(const CommitRecord& other) const;

  // What our own record says beside a daemon's.
  void sign(CommitRecord& record) const;

  std::int32_t number() const { return part_.partition; }
  std::int32_t of() const { return part_.of; }

 private:
  const StatePart part_;
  const std::string state_topic_;
  const GroupBond bond_;
  std::optional<KafkaReader::Bounds> bounds_;  // seen before
};

}  // namespace sessionlogd
