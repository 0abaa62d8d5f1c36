// Events per CPU-second through the Kafka sink in exactly-once mode, against a bare loop of librdkafka's transactions
// with the same events, keys, headers and properties on the same broker, in turn. Client side only: the broker is
// another process. The sink's part also writes the state rows and commit records that the loop does without.
//
// kafka_bench [PAIRS]: prints "ours BARE RATIO" in thousands of events per CPU-second, medians over the pairs, then the
// same by wall clock.
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include "bench/cpu_seconds.h"
#include "bench/kafka_batches.h"
#include "bench/median.h"
#include "bench/with_broker.h"
#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_conf.h"
#include "sinks/kafka/kafka_sink.h"
#include "tests/kafka/broker.h"
#include "tests/kafka/outside.h"

namespace sessionlogd {
namespace {

constexpr int kBatches = 100, kSources = 20, kTransactions = 6;
constexpr double kEvents = static_cast<double>(kBatches) * kEventsPerBatch * kTransactions;

class NoState : public StateVisitor {
 public:
  void record(std::string_view, const StateRecord&) override {}
  void delivered(const Delivered&) override {}
  std::vector<Batch> settle() override { return {}; }
};

struct Spent {
  double cpu = 0, wall = 0;
};

template <class Work>
Spent measure(const Work& work) {
  const double cpu = cpu_seconds();
  const auto begun = std::chrono::steady_clock::now();
  for (int i = 0; i < kTransactions; ++i) work();
  return {cpu_seconds() - cpu, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count()};
}

void must(rd_kafka_error_t* error) {
  if (error != nullptr) throw std::runtime_error(rd_kafka_error_string(error));
}

// What anyone would write who needs no state.
class BareLoop {
 public:
  explicit BareLoop(const KafkaSinkSettings& settings) {
    char reason[512];
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, KafkaConf::producer(settings).make(), reason, sizeof reason);
    if (handle_ == nullptr) throw std::runtime_error(reason);
    topic_ = rd_kafka_topic_new(handle_, settings.topic.c_str(), nullptr);
    must(rd_kafka_init_transactions(handle_, 30'000));
  }
  ~BareLoop() {
    rd_kafka_topic_destroy(topic_);
    rd_kafka_destroy(handle_);
  }
  BareLoop(const BareLoop&) = delete;
  BareLoop& operator=(const BareLoop&) = delete;

  void write(const std::vector<Batch>& batches) {
    must(rd_kafka_begin_transaction(handle_));
    for (const Batch& batch : batches) {
      const std::string key = batch.source_id + '/' + batch.session_id;
      const char* line = batch.events.data();
      for (const EventRef& event : batch.index) {
        const std::string id = fmt::format("{:016x}{:016x}", batch.session_key, event.entry_key);
        const std::string hash = fmt::format("{:08x}", event.hash);
        while (produce(key, id, hash, line, event.size - 1) == RD_KAFKA_RESP_ERR__QUEUE_FULL) rd_kafka_poll(handle_, 5);
        line += event.size;
      }
    }
    must(rd_kafka_commit_transaction(handle_, 30'000));
  }

 private:
  rd_kafka_resp_err_t produce(const std::string& key, const std::string& id, const std::string& hash, const char* line,
                              std::size_t size) {
    return rd_kafka_producev(handle_, RD_KAFKA_V_RKT(topic_), RD_KAFKA_V_KEY(key.data(), key.size()),
                             RD_KAFKA_V_VALUE(const_cast<char*>(line), size),
                             RD_KAFKA_V_HEADER("event.id", id.data(), static_cast<ssize_t>(id.size())),
                             RD_KAFKA_V_HEADER("event.hash", hash.data(), static_cast<ssize_t>(hash.size())),
                             RD_KAFKA_V_HEADER("content-type", "application/json", 16), RD_KAFKA_V_END);
  }

  rd_kafka_t* handle_;
  rd_kafka_topic_t* topic_;
};

int run(int pairs) {
  test::Cluster cluster(test::ClusterSettings{});
  test::Outside outside(cluster.addresses());
  const auto settings = [&](const std::string& name) {
    outside.create_topic(name, 6);
    return KafkaSinkSettings{.brokers = cluster.addresses(),
                             .topic = name,
                             .state_topic = name + "-state",
                             .transactional_id = name,
                             .delivery = Delivery::kExactlyOnce,
                             .properties = {}};
  };
  const std::vector<Batch> batches = make_batches(kBatches, kSources);
  KafkaSink sink(settings("ours"), kEcsFormat, {});
  NoState state;
  sink.recover(state);
  BareLoop bare(settings("bare"));
  const auto ours = [&] {
    if (const Result<void> done = sink.commit(batches); !done) throw std::runtime_error(done.error().detail);
  };
  const auto theirs = [&] { bare.write(batches); };
  measure(ours);  // the broker's Java and every connection are warm then
  measure(theirs);
  std::vector<double> our_cpu, their_cpu, our_wall, their_wall, cpu_ratios, wall_ratios;
  for (int pair = 0; pair < pairs; ++pair) {
    const bool first = pair % 2 == 0;
    Spent a = first ? measure(ours) : Spent(), b = measure(theirs);
    if (!first) a = measure(ours);
    our_cpu.push_back(kEvents / a.cpu / 1e3);
    their_cpu.push_back(kEvents / b.cpu / 1e3);
    our_wall.push_back(kEvents / a.wall / 1e3);
    their_wall.push_back(kEvents / b.wall / 1e3);
    cpu_ratios.push_back(b.cpu / a.cpu);
    wall_ratios.push_back(b.wall / a.wall);
  }
  fmt::print("{:.0f} {:.0f} {:.2f}\n", median(our_cpu), median(their_cpu), median(cpu_ratios));
  fmt::print("{:.0f} {:.0f} {:.2f}\n", median(our_wall), median(their_wall), median(wall_ratios));
  return 0;
}

}  // namespace
}  // namespace sessionlogd

int main(int argc, char** argv) {
  return sessionlogd::with_broker("kafka_bench", [&] { return sessionlogd::run(argc > 1 ? std::atoi(argv[1]) : 9); });
}
