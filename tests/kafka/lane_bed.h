// What a test of lanes works in: topics of its own on the suite's cluster, lanes of single partitions in this process,
// and a reader that judges by the headers alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/state/sink.h"
#include "sinks/kafka/kafka_lane.h"
#include "sinks/kafka/kafka_views.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/outside.h"

struct rd_kafka_s;

namespace sessionlogd::test {

inline constexpr std::uint64_t kSession = 1;  // the key of the only one of each source

// What a lane recovered: values by source and session.
struct RowsSeen : StateVisitor {
  void record(std::string_view source_id, const StateRecord& record) override;
  void delivered(const Delivered&) override {}
  std::vector<Batch> settle() override { return {}; }

  std::map<std::pair<std::string, std::uint64_t>, std::string> rows;
};

// One life of a lane.
struct LaneLife {
  LaneLife(
      const KafkaSinkSettings& settings, StatePart part, KafkaViews& views,
      std::function<bool()> may_begin = [] { return true; });

  // As daemon and committer do: again for as long as waiting may help. What they were told meanwhile is kept.
  Result<void> recover();
  Result<void> commit(const std::vector<Batch>& batches);

  std::stop_source stop;
  KafkaLane lane;
  RowsSeen seen;
  std::vector<std::string> told;

 private:
  Result<void> patiently(const std::function<Result<void>()>& call);
};

class LaneBed {
 public:
  // A state topic of so many partitions, with the record in each that the first lane goes on from.
  LaneBed(Cluster& cluster, const std::string& name, std::int32_t partitions);

  std::unique_ptr<LaneLife> begin(std::int32_t partition) const;        // recovered, or the test fails
  std::string source_in(std::int32_t partition, int number = 0) const;  // one of those that belong to it

  // The next `count` entries of the only session of that source.
  Batch next(const std::string& source, std::uint64_t count);

  static Batch entries(const std::string& source, std::uint64_t from, std::uint64_t to);  // again

  // Every entry that next() gave is read once, in order.
  void expect_all_read_once();

  std::vector<Message> state_of(std::int32_t partition);  // committed records
  CommitRecord last_commit_of(std::int32_t partition);

  const std::string topic, state_topic;
  const std::int32_t partitions;
  Outside outside;
  KafkaSinkSettings settings;
  std::unique_ptr<KafkaViews> views;  // of all lanes that it begins

 private:
  std::map<std::string, std::uint64_t> given_;  // entries by source
};

// A transaction of somebody else that holds one record of the state topic, until it is ended.
class OpenTransaction {
 public:
  OpenTransaction(const LaneBed& bed, std::int32_t partition, const std::string& key, const std::string& value,
                  const std::string& who);
  ~OpenTransaction();
  OpenTransaction(const OpenTransaction&) = delete;
  OpenTransaction& operator=(const OpenTransaction&) = delete;

  void commit();

 private:
  rd_kafka_s* producer_;
};

}  // namespace sessionlogd::test
