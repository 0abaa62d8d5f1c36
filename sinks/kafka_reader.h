// Reads the state topic as a read_committed consumer, without a group: to its end at start, and its last commit record
// when a commit is in doubt.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "sinks/kafka_client.h"
#include "sinks/kafka_rows.h"
#include "sinks/patience.h"

namespace sessionlogd {

class KafkaReader {
 public:
  // `partitions` is how many the topic has.
  KafkaReader(const KafkaConf& conf, std::string topic, std::int32_t partitions);

  struct Record {
    std::string_view key;
    std::string_view value;  // empty: the row was removed
    std::int32_t partition;
  };
  using OnRecord = std::function<void(const Record&)>;

  // Everything committed before the call, in order within each partition. Logs how far it is. The number of records.
  Result<std::uint64_t> read_all(const OnRecord& on_record, Patience& patience);

  // nullopt: that daemon never committed anything here. Reads from the end backwards.
  Result<std::optional<CommitRecord>> last_commit(std::string_view transactional_id, Patience& patience);

  // Whether nothing was ever written.
  Result<bool> is_empty(Patience& patience);

 private:
  struct Range {
    std::int32_t partition;
    std::int64_t from, to;
  };
  struct Reading;

  Result<Range> whole(std::int32_t partition, Patience& patience);
  Result<std::vector<Range>> whole_topic(Patience& patience);
  Result<void> read(const std::vector<Range>& ranges, const OnRecord& on_record, Patience& patience);

  // Both look at one topic, with different eyes: the end of what is committed may lie before a transaction that is
  // still open, and behind it more of ours. So the end is asked for by one that sees everything, and waited for by the
  // other.
  KafkaClient committed_, everything_;
  const std::string topic_;
  const std::int32_t partitions_;
};

}  // namespace sessionlogd
