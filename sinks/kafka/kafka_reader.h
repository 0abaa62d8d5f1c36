// Reads a topic as a read_committed consumer, without a group: the state topic to its end at start, its last commit
// record when a commit is in doubt, and both topics for an audit.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/patience.h"
#include "core/base/result.h"
#include "core/base/timestamp.h"
#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_rows.h"

struct rd_kafka_message_s;

namespace sessionlogd {

class KafkaReader {
 public:
  // `partitions` is how many the topic has.
  KafkaReader(const KafkaConf& conf, std::string topic, std::int32_t partitions);

  struct Record {
    std::string_view key;
    std::string_view value;  // empty: the row was removed
    std::int32_t partition;
    const rd_kafka_message_s* message;

    // The last of this name; nullopt: it has none.
    std::optional<std::string_view> header(const char* name) const;
  };
  using OnRecord = std::function<void(const Record&)>;

  // Everything committed before the call, of one partition or (nullopt) of all, in order within each. Logs how far it
  // is. The number of records.
  Result<std::uint64_t> read_all(std::optional<std::int32_t> partition, const OnRecord& on_record, Patience& patience);

  struct Reach {
    std::uint64_t records = 0;
    bool since_is_held = true;  // false: records from after `since` may have been there and were removed
  };
  // What others can read at the moment, without waiting for transactions that are open. Records from before `since` are
  // left out, as far as the brokers' times of them tell; nullopt: none is.
  Result<Reach> read_visible(std::optional<Instant> since, const OnRecord& on_record, Patience& patience);

  // kEnd: what was written before the call, with what becomes of transactions that are open. kVisible: what others can
  // read at the moment.
  enum class Until { kEnd, kVisible };
  // nullopt: nothing was ever committed under that id to that partition. Reads from the end backwards.
  Result<std::optional<CommitRecord>> last_commit(std::string_view transactional_id, std::int32_t partition,
                                                  Until until, Patience& patience);

  // The last value of a key in one partition, an empty one included, from the end backwards; nullopt: there is none.
  Result<std::optional<std::string>> last_value(const std::string& key, std::int32_t partition, Until until,
                                                Patience& patience);

  struct Bounds {
    std::int64_t first = 0, end = 0;  // behind the last, committed or not
  };
  Result<Bounds> bounds(std::int32_t partition, Patience& patience);

  // read_all() of one partition, in as many calls as are needed: goes on at `next`. false: nothing came for as long as
  // `patience` is.
  struct Progress {
    std::int64_t next = -1, end = -1;  // -1: not begun
  };
  Result<bool> read_on(std::int32_t partition, Progress& progress, const OnRecord& on_record, Patience& patience);

  // Whether nothing was ever written.
  Result<bool> is_empty(Patience& patience);

 private:
  struct Range {
    std::int32_t partition;
    std::int64_t from, to;
  };
  struct Reading;

  std::vector<Range> every_partition() const;
  Result<void> find_ends(const KafkaClient& seen_by, std::vector<Range>& ranges, Patience& patience);
  int offsets_at(const KafkaClient& seen_by, std::int64_t time, int most_ms, std::int64_t Range::*bound,
                 std::vector<Range>& ranges) const;
  Result<void> leave_out_before(Instant since, std::vector<Range>& ranges, Patience& patience);
  Result<void> read(const std::vector<Range>& ranges, const OnRecord& on_record, Patience& patience);
  Result<bool> read_while(const std::vector<Range>& ranges, const OnRecord& on_record, Patience& patience);

  // Both look at one topic, with different eyes: the end of what is committed may lie before a transaction that is
  // still open, and behind it more of ours. So the end is asked for by one that sees everything, and waited for by the
  // other.
  KafkaClient committed_, everything_;
  const std::string topic_;
  const std::int32_t partitions_;
};

}  // namespace sessionlogd
