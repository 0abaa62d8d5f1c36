// Events per CPU-second through the Kafka sink in exactly-once mode, against a bare loop of librdkafka's transactions,
// and against a bare idempotent producer without any, which is flushed once a round: the same events, keys, headers and
// properties on the same broker, in turn. Client side only: the broker is another process. The sink's part also writes
// the state rows and commit records that the others do without.
//
// kafka_bench [ROUNDS]: prints "ours BARE RATIO" in thousands of events per CPU-second, medians over the rounds, then
// the same by wall clock; first against the loop, then against the producer.
#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>
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
class BareProducer {
 public:
  explicit BareProducer(const KafkaSinkSettings& settings) {
    char reason[512];
    handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, KafkaConf::producer(settings).make(), reason, sizeof reason);
    if (handle_ == nullptr) throw std::runtime_error(reason);
    topic_ = rd_kafka_topic_new(handle_, settings.topic.c_str(), nullptr);
  }
  ~BareProducer() {
    rd_kafka_topic_destroy(topic_);
    rd_kafka_destroy(handle_);
  }
  BareProducer(const BareProducer&) = delete;
  BareProducer& operator=(const BareProducer&) = delete;

  // With a transactional id.
  void begin_transactions() { must(rd_kafka_init_transactions(handle_, 30'000)); }
  void write_in_transaction(const std::vector<Batch>& batches) {
    must(rd_kafka_begin_transaction(handle_));
    write(batches);
    must(rd_kafka_commit_transaction(handle_, 30'000));
  }

  void write(const std::vector<Batch>& batches) {
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
  }
  // Until the broker has everything.
  void flush() {
    if (rd_kafka_flush(handle_, 30'000) != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error("not flushed");
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

// One of those who take turns: what each round cost.
struct Measured {
  std::function<void()> work;
  std::vector<Spent> rounds = {};
};

// Medians, in thousands of events per second of `figure`, and of the ratios of single rounds.
void print_ratio(const Measured& ours, const Measured& bare, double Spent::*figure) {
  std::vector<double> our_rates, their_rates, ratios;
  for (std::size_t round = 0; round < ours.rounds.size(); ++round) {
    const double a = ours.rounds[round].*figure, b = bare.rounds[round].*figure;
    our_rates.push_back(kEvents / a / 1e3);
    their_rates.push_back(kEvents / b / 1e3);
    ratios.push_back(b / a);
  }
  fmt::print("{:.0f} {:.0f} {:.2f}\n", median(our_rates), median(their_rates), median(ratios));
}

int run(int rounds) {
  test::Cluster cluster(test::ClusterSettings{});
  test::Outside outside(cluster.addresses());
  const auto settings = [&](const std::string& name, Delivery delivery) {
    outside.create_topic(name, 6);
    return KafkaSinkSettings{.brokers = cluster.addresses(),
                             .topic = name,
                             .state_topic = name + "-state",
                             .transactional_id = name,
                             .delivery = delivery,
                             .properties = {}};
  };
  const std::vector<Batch> batches = make_batches(kBatches, kSources);
  KafkaSink sink(settings("ours", Delivery::kExactlyOnce), kEcsFormat, {});
  NoState state;
  sink.recover(state);
  BareProducer transactional(settings("bare", Delivery::kExactlyOnce));
  transactional.begin_transactions();
  BareProducer idempotent(settings("plain", Delivery::kAtLeastOnce));
  std::array<Measured, 3> all{
      Measured{[&] {
        if (const Result<void> done = sink.commit(batches); !done) throw std::runtime_error(done.error().detail);
      }},
      Measured{[&] { transactional.write_in_transaction(batches); }},
      Measured{[&, written = 0]() mutable {
        idempotent.write(batches);
        if (++written % kTransactions == 0) idempotent.flush();
      }},
  };
  for (const Measured& each : all) measure(each.work);  // the broker's Java and every connection are warm then
  for (int round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      Measured& turn = all[(static_cast<std::size_t>(round) + i) % all.size()];
      turn.rounds.push_back(measure(turn.work));
    }
  }
  const auto& [ours, loop, plain] = all;
  for (const Measured* bare : {&loop, &plain}) {
    print_ratio(ours, *bare, &Spent::cpu);
    print_ratio(ours, *bare, &Spent::wall);
  }
  return 0;
}

}  // namespace
}  // namespace sessionlogd

int main(int argc, char** argv) {
  return sessionlogd::with_broker("kafka_bench", [&] { return sessionlogd::run(argc > 1 ? std::atoi(argv[1]) : 9); });
}
