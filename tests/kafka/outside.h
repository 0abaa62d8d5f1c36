// The cluster as others see it: topics made and changed by an administrator, events read by a read_committed consumer.
// Shares nothing with the sink.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

struct rd_kafka_metadata_topic;
struct rd_kafka_s;

namespace sessionlogd::test {

struct Message {
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  std::string key, value;
  bool has_value = true;
  std::map<std::string, std::string> headers;
};

class Outside {
 public:
  explicit Outside(std::string brokers);
  ~Outside();
  Outside(const Outside&) = delete;
  Outside& operator=(const Outside&) = delete;

  using Configuration = std::map<std::string, std::string>;

  // Throw std::runtime_error. What they change is known to a broker when they return.
  void create_topic(const std::string& topic, int partitions, const Configuration& configuration = {});
  void delete_topic(const std::string& topic);
  void add_partitions(const std::string& topic, int partitions);
  void configure_topic(const std::string& topic, const Configuration& configuration);
  Configuration configuration_of(const std::string& topic);
  int coordinator_of(const std::string& group);            // a broker, 0 is the first; -1: not known just now
  int partitions_of(const std::string& topic);             // 0: no such topic
  bool has_part_in(const std::string& topic, int broker);  // the leader of some partition, or a partition has none

  // Removes what one partition holds; the topic's cleanup.policy must have `delete`.
  void empty(const std::string& topic, std::int32_t partition);

  // Messages as they are, in partitions that are theirs, with a time (milliseconds since 1970) or, if 0, the present.
  void write(const std::string& topic, const std::vector<Message>& messages, std::int64_t time = 0);

  // Everything committed, each partition in order. What a transaction holds that has not ended at the call is waited
  // for.
  std::vector<Message> read(const std::string& topic, const std::string& isolation = "read_committed");

  // The first offset that is still there, summed over the partitions, and the end likewise.
  std::pair<std::int64_t, std::int64_t> span_of(const std::string& topic);

 private:
  void look_at(const std::string& topic, const std::function<void(const rd_kafka_metadata_topic&)>& look);
  void wait_until_known(const std::function<bool()>& is_known);
  std::vector<std::int64_t> ends_of(const std::string& topic);  // behind what was written, committed or not

  const std::string brokers_;
  rd_kafka_s* admin_;
};

}  // namespace sessionlogd::test
