#include "tests/kafka/lane_bed.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <stdexcept>

#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_rows.h"
#include "tests/daemon/child.h"

namespace sessionlogd::test {
namespace {

constexpr int kMostForCallMs = 60'000;

void must(rd_kafka_error_t* error) {
  if (error == nullptr) return;
  const std::string what = rd_kafka_error_string(error);
  rd_kafka_error_destroy(error);
  throw std::runtime_error(what);
}

rd_kafka_t* make_producer(const std::string& brokers, const std::string& id) {
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  char reason[512];
  rd_kafka_conf_set(conf, "bootstrap.servers", brokers.c_str(), reason, sizeof reason);
  rd_kafka_conf_set(conf, "transactional.id", id.c_str(), reason, sizeof reason);
  rd_kafka_t* made = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
  if (made == nullptr) throw std::runtime_error(reason);
  return made;
}

}  // namespace

void RowsSeen::record(std::string_view source_id, const StateRecord& record) {
  if (source_id == "damaged") throw StateMismatch("a damaged row");
  rows[{std::string(source_id), record.session_key}] = record.value;
}

LaneLife::LaneLife(const KafkaSinkSettings& settings, StatePart part, KafkaViews& views,
                   std::function<bool()> may_begin)
    : lane(settings, kEcsFormat, part, views, stop.get_token(), std::move(may_begin)) {}

Result<void> LaneLife::recover() {
  return patiently([this] {
    seen.rows.clear();
    return lane.recover(seen);
  });
}

Result<void> LaneLife::commit(const std::vector<Batch>& batches) {
  return patiently([&] { return lane.commit(batches); });
}

Result<void> LaneLife::patiently(const std::function<Result<void>()>& call) {
  Result<void> done;
  eventually([&] {
    done = call();
    if (!done) told.push_back(done.error().detail);
    return done || done.error().kind != ErrorKind::kTryLater || stop.stop_requested();
  });
  return done;
}

LaneBed::LaneBed(Cluster& cluster, const std::string& name, std::int32_t count)
    : topic(name), state_topic(name + "-state"), partitions(count), outside(cluster.addresses()) {
  settings = {.brokers = cluster.addresses(),
              .topic = topic,
              .state_topic = state_topic,
              .transactional_id = "",
              .delivery = Delivery::kExactlyOnce,
              .properties = {}};
  views = std::make_unique<KafkaViews>(settings);
  outside.create_topic(topic, 2);
  outside.create_topic(state_topic, partitions, {{"cleanup.policy", "compact"}});
  std::vector<Message> records;
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    Message record;
    record.partition = partition;
    record.key = commit_key(transactional_id_of({partition, partitions}, state_topic));
    record.value = encode_commit({0, "none", "nobody", "2026-11-21T20:41:12Z", partitions});
    records.push_back(record);
  }
  outside.write(state_topic, records);
}

std::unique_ptr<LaneLife> LaneBed::begin(std::int32_t partition) const {
  auto life = std::make_unique<LaneLife>(settings, StatePart{partition, partitions}, *views);
  const Result<void> recovered = life->recover();
  EXPECT_TRUE(recovered.has_value()) << recovered.error().detail;
  return life;
}

std::string LaneBed::source_in(std::int32_t partition, int number) const {
  for (int i = 0;; ++i) {
    std::string source = fmt::format("source-{}", i);
    if (partition_of_source(source, partitions) == partition && number-- == 0) return source;
  }
}

Batch LaneBed::next(const std::string& source, std::uint64_t count) {
  std::uint64_t& given = given_[source];
  given += count;
  return entries(source, given - count, given);
}

Batch LaneBed::entries(const std::string& source, std::uint64_t from, std::uint64_t to) {
  Batch batch;
  batch.source_id = source;
  batch.session_id = "session";
  batch.session_key = kSession;
  for (std::uint64_t entry = from; entry < to; ++entry) {
    const std::string line = fmt::format("{{\"entry\":{}}}\n", entry);
    batch.events += line;
    batch.index.push_back({static_cast<std::uint32_t>(line.size()), entry, 1});
  }
  batch.records.push_back({kSession, StateRecord::kSessionPart, std::to_string(to)});
  return batch;
}

void LaneBed::expect_all_read_once() {
  std::map<std::string, std::uint64_t> read;
  for (const Message& message : outside.read(topic)) {
    const std::uint64_t entry = std::stoull(message.headers.at("event.id").substr(16), nullptr, 16);
    std::uint64_t& due = read[message.key.substr(0, message.key.find('/'))];
    EXPECT_EQ(entry, due) << message.key << ", offset " << message.offset;
    due = entry + 1;
  }
  EXPECT_EQ(read, given_);
}

std::vector<Message> LaneBed::state_of(std::int32_t partition) {
  std::vector<Message> all = outside.read(state_topic);
  std::erase_if(all, [&](const Message& message) { return message.partition != partition; });
  return all;
}

CommitRecord LaneBed::last_commit_of(std::int32_t partition) {
  CommitRecord last;
  for (const Message& message : state_of(partition)) {
    if (is_commit_key(message.key)) last = decode_commit(message.value);
  }
  return last;
}

OpenTransaction::OpenTransaction(const LaneBed& bed, std::int32_t partition, const std::string& key,
                                 const std::string& value, const std::string& who)
    : producer_(make_producer(bed.settings.brokers, bed.topic + "-" + who)) {
  must(rd_kafka_init_transactions(producer_, kMostForCallMs));
  must(rd_kafka_begin_transaction(producer_));
  rd_kafka_producev(producer_, RD_KAFKA_V_TOPIC(bed.state_topic.c_str()), RD_KAFKA_V_PARTITION(partition),
                    RD_KAFKA_V_KEY(key.data(), key.size()),
                    RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
  rd_kafka_flush(producer_, kMostForCallMs);
}

OpenTransaction::~OpenTransaction() { rd_kafka_destroy(producer_); }

void OpenTransaction::commit() { must(rd_kafka_commit_transaction(producer_, kMostForCallMs)); }

}  // namespace sessionlogd::test
