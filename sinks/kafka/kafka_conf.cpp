#include "sinks/kafka/kafka_conf.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>

#include "core/base/host_name.h"
#include "core/state/sink.h"
#include "sinks/kafka/kafka_ptr.h"

namespace sessionlogd {
namespace {

constexpr unsigned kMostBetweenPolls = 15'000;  // ms; a member that hangs for so long has left

using ConfPtr = KafkaPtr<rd_kafka_conf_t, rd_kafka_conf_destroy>;

// "" when librdkafka takes it. Its own words may repeat the value, so a secret's are not shown.
std::string mistake_in(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char reason[512];
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof reason) == RD_KAFKA_CONF_OK) return {};
  return reason;
}

std::string client_id_of(const KafkaSinkSettings& settings) {
  return settings.group.empty() ? "sessionlogd" : "sessionlogd@" + host_name();
}

}  // namespace

std::string consumer_group_of(const KafkaSinkSettings& settings) { return settings.state_topic + "-" + settings.group; }

KafkaConf KafkaConf::producer(const KafkaSinkSettings& settings) {
  const bool one_of_many = !settings.group.empty();
  KafkaConf conf;
  conf.set("client.id", client_id_of(settings));
  conf.set("enable.idempotence", "true");
  conf.set("compression.codec", "lz4");
  conf.set("partitioner", "murmur2_random");  // as Java clients do
  conf.set("delivery.report.only.error", "true");
  conf.set("queue.buffering.max.kbytes", one_of_many ? "16384" : "65536");  // its own default is 1 GiB
  conf.set("queue.buffering.max.messages", "100000");
  conf.set("reconnect.backoff.max.ms", "2000");
  conf.set("log.connection.close", "false");
  // A daemon that was killed holds readers up for so long at most, and one sick lane those of all.
  conf.set("transaction.timeout.ms", one_of_many ? "15000" : "30000");
  conf.add(settings);
  if (conf.value_of("message.timeout.ms").empty())
    conf.set("message.timeout.ms", std::string(conf.value_of("transaction.timeout.ms")));
  if (settings.delivery == Delivery::kExactlyOnce) conf.set("transactional.id", settings.transactional_id);
  conf.check();
  return conf;
}

KafkaConf KafkaConf::reader(const KafkaSinkSettings& settings) {
  KafkaConf conf;
  conf.set("client.id", client_id_of(settings));
  conf.set("isolation.level", "read_committed");
  conf.set("enable.partition.eof", "true");
  conf.set("auto.offset.reset", "earliest");
  conf.set("fetch.wait.max.ms", "100");
  conf.set("queued.max.messages.kbytes", "16384");
  // Of each partition in one answer: a state topic has some dozen, and records of a hundred bytes take a multiple of
  // that in memory. Not by the queue's limits: librdkafka pauses for a second whenever one is reached.
  conf.set("fetch.message.max.bytes", "131072");
  conf.set("reconnect.backoff.max.ms", "2000");
  conf.set("log.connection.close", "false");
  conf.add(settings);
  conf.check();
  return conf;
}

// The least that brokers allow by default, so that who dies is replaced soon. No offset is ever committed: during a
// rebalance that loses the assignment below librdkafka 2.10.
KafkaConf KafkaConf::member(const KafkaSinkSettings& settings) {
  KafkaConf conf;
  conf.set("client.id", client_id_of(settings));
  conf.set("session.timeout.ms", "6000");
  conf.set("heartbeat.interval.ms", "1000");
  conf.set("fetch.wait.max.ms", "100");
  conf.set("reconnect.backoff.max.ms", "1000");
  conf.set("log.connection.close", "false");
  conf.add(settings);
  conf.set("group.id", consumer_group_of(settings));
  conf.set("partition.assignment.strategy", "cooperative-sticky");
  conf.set("max.poll.interval.ms", std::to_string(kMostBetweenPolls));
  conf.set("enable.auto.commit", "false");
  conf.set("enable.auto.offset.store", "false");
  conf.check();
  // librdkafka says so only when the member is made.
  if (std::stoul(std::string(conf.value_of("session.timeout.ms"))) > kMostBetweenPolls)
    throw WrongSetting(fmt::format("sink.properties: session.timeout.ms = {}, expected at most {} in a group",
                                   conf.value_of("session.timeout.ms"), kMostBetweenPolls));
  return conf;
}

KafkaConf KafkaConf::with(std::string_view name, std::string value) const {
  KafkaConf changed = *this;
  changed.set(name, std::move(value));
  return changed;
}

std::string_view KafkaConf::value_of(std::string_view name) const {
  const auto found = std::ranges::find(properties_, name, &std::pair<std::string, std::string>::first);
  return found == properties_.end() ? std::string_view() : std::string_view(found->second);
}

// https://github.com/confluentinc/librdkafka/pull/4895
std::string KafkaConf::known_obstacle() const {
  constexpr int kRightNonce = 0x02060100;
  const std::string_view mechanism =
      value_of(value_of("sasl.mechanism").empty() ? "sasl.mechanisms" : "sasl.mechanism");
  if (rd_kafka_version() >= kRightNonce || !mechanism.starts_with("SCRAM")) return {};
  return fmt::format(
      "brokers of Kafka 4 refuse the {} of librdkafka {} whatever the password: use PLAIN over TLS or a client's "
      "certificate, or librdkafka 2.6.1",
      mechanism, rd_kafka_version_str());
}

void KafkaConf::set(std::string_view name, std::string value) {
  const auto found = std::ranges::find(properties_, name, &std::pair<std::string, std::string>::first);
  if (found == properties_.end()) {
    properties_.emplace_back(name, std::move(value));
  } else {
    found->second = std::move(value);
  }
}

void KafkaConf::add(const KafkaSinkSettings& settings) {
  set("bootstrap.servers", settings.brokers);
  for (const KafkaProperty& property : settings.properties) {
    std::string value = property.value;
    if (property.secret) {
      value = property.read_secret();
      secrets_.push_back(value);
    }
    set(property.name, std::move(value));
  }
}

void KafkaConf::check() const {
  const ConfPtr conf(rd_kafka_conf_new());
  std::string mistakes;
  for (const auto& [name, value] : properties_) {
    const std::string mistake = mistake_in(conf.get(), name, value);
    if (mistake.empty()) continue;
    const bool secret = std::ranges::find(secrets_, value) != secrets_.end();
    mistakes += fmt::format("{}sink.properties.{}: {}", mistakes.empty() ? "" : "\n", name,
                            secret ? "librdkafka refuses the value (not shown)" : mistake);
  }
  if (!mistakes.empty()) throw WrongSetting(mistakes);
}

rd_kafka_conf_t* KafkaConf::make() const {
  ConfPtr conf(rd_kafka_conf_new());
  for (const auto& [name, value] : properties_) mistake_in(conf.get(), name, value);
  // Else a token would be asked for within calls that themselves wait for it.
  if (value_of("sasl.mechanisms") == "OAUTHBEARER" || value_of("sasl.mechanism") == "OAUTHBEARER")
    rd_kafka_conf_enable_sasl_queue(conf.get(), 1);
  return conf.release();
}

}  // namespace sessionlogd
