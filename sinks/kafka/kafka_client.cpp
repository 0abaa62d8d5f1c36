#include "sinks/kafka/kafka_client.h"

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "core/state/sink.h"
#include "sinks/kafka/kafka_log.h"

namespace sessionlogd {

struct KafkaClient::Hooks {
  explicit Hooks(const KafkaConf& conf) : log(conf.secrets()), obstacle(conf.known_obstacle()) {}

  static Hooks& of(const rd_kafka_t* handle) { return *static_cast<Hooks*>(rd_kafka_opaque(handle)); }

  static void on_log(const rd_kafka_t* handle, int level, const char* facility, const char* line) {
    if (handle == nullptr) return;
    if (std::string_view(facility) == "TXNERR") of(handle).transaction_failed = true;
    of(handle).log.write(level, facility, line);
  }

  static void on_report(rd_kafka_t* handle, const rd_kafka_message_t* message, void*) {
    KafkaOutcome& lost = of(handle).lost;
    // Purged ones follow another fault.
    const bool purged =
        message->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR || purged || lost) return;
    lost = fault_of(message->err,
                    std::string("topic ") + rd_kafka_topic_name(message->rkt) + ": " + rd_kafka_err2str(message->err));
  }

  static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t* partitions,
                           void*) {
    of(handle).rebalance(code, *partitions);
  }

  KafkaLog log;
  const std::string obstacle;
  OnRebalance rebalance;  // of a group's member
  std::atomic<bool> transaction_failed = false;
  KafkaOutcome lost;  // by the thread that polls
};

KafkaClient::KafkaClient(Kind kind, const KafkaConf& conf) : hooks_(std::make_unique<Hooks>(conf)) {
  start(kind, conf);
}

KafkaClient::KafkaClient(const KafkaConf& conf, OnRebalance on_rebalance) : hooks_(std::make_unique<Hooks>(conf)) {
  hooks_->rebalance = std::move(on_rebalance);
  start(Kind::kConsumer, conf);
  rd_kafka_poll_set_consumer(handle_);
}

void KafkaClient::start(Kind kind, const KafkaConf& conf) {
  rd_kafka_conf_t* made = conf.make();
  rd_kafka_conf_set_opaque(made, hooks_.get());
  rd_kafka_conf_set_log_cb(made, Hooks::on_log);
  if (kind == Kind::kProducer) rd_kafka_conf_set_dr_msg_cb(made, Hooks::on_report);
  if (hooks_->rebalance) rd_kafka_conf_set_rebalance_cb(made, Hooks::on_rebalance);
  char reason[512];
  handle_ = rd_kafka_new(kind == Kind::kProducer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, made, reason, sizeof reason);
  if (handle_ == nullptr) {
    rd_kafka_conf_destroy(made);
    throw WrongSetting(std::string("sink.properties: ") + reason);
  }
  // Without a SASL queue this is an error that means nothing.
  if (rd_kafka_error_t* refused = rd_kafka_sasl_background_callbacks_enable(handle_)) rd_kafka_error_destroy(refused);
}

KafkaClient::~KafkaClient() {
  if (handle_ == nullptr) return;
  // Below 2.4.0 the close of a group's member may hang when it is given something meanwhile.
  const bool is_member = static_cast<bool>(hooks_->rebalance);
  rd_kafka_destroy_flags(handle_, is_member ? RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE : 0);
}

KafkaClient::KafkaClient(KafkaClient&& other) noexcept
    : hooks_(std::move(other.hooks_)), handle_(std::exchange(other.handle_, nullptr)) {}

KafkaClient& KafkaClient::operator=(KafkaClient&& other) noexcept {
  std::swap(hooks_, other.hooks_);
  std::swap(handle_, other.handle_);
  return *this;
}

KafkaOutcome KafkaClient::take_lost_message() { return std::exchange(hooks_->lost, std::nullopt); }

bool KafkaClient::transaction_failed() const { return hooks_->transaction_failed; }

void KafkaClient::forget_faults() {
  hooks_->transaction_failed = false;
  hooks_->lost = std::nullopt;
}

std::string KafkaClient::take_last_fault() const {
  std::string fault = hooks_->log.take_last_fault();
  if (fault.find("SASL") != fault.npos && !hooks_->obstacle.empty()) fault += "; " + hooks_->obstacle;
  return fault;
}

void KafkaTopicDeleter::operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }

KafkaTopicPtr make_topic(const KafkaClient& client, const std::string& name) {
  KafkaTopicPtr topic(rd_kafka_topic_new(client.get(), name.c_str(), nullptr));
  if (!topic) throw std::runtime_error("topic " + name + ": " + rd_kafka_err2str(rd_kafka_last_error()));
  return topic;
}

}  // namespace sessionlogd
