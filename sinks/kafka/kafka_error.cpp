#include "sinks/kafka/kafka_error.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <string_view>

namespace sessionlogd {
namespace {

// What a person can do about it; "" where it passes by itself.
std::string_view advice(int code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return "give the daemon's user the ACLs Write and DescribeConfigs on both topics, and Read on the state topic";
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return "give the daemon's user the ACL Write on the transactional id";
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return "give the daemon's user the ACL IdempotentWrite on the cluster";
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      return "look at the sasl.* properties and the secrets they name";
    case RD_KAFKA_RESP_ERR__SSL:
      return "look at the ssl.* properties and the broker's certificate";
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return "the topic is gone, or the daemon's user may not see it: create it again";
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return "fewer replicas are in sync than min.insync.replicas asks for: bring brokers back";
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
      return "the broker's transaction.max.timeout.ms is below the property transaction.timeout.ms";
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
      return "the brokers know no transactions: delivery = \"at-least-once\" needs none";
    default:
      return "";
  }
}

bool is_missing_right(int code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
         code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
}

}  // namespace

KafkaReaction classify_kafka(const KafkaFault& fault) {
  switch (fault.code) {
    case RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT:
    case RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
    case RD_KAFKA_RESP_ERR__NOT_IMPLEMENTED:
      return KafkaReaction::kStop;
    default:
      break;
  }
  if (is_fenced(fault)) return KafkaReaction::kRecreate;
  if (fault.requires_abort) return KafkaReaction::kAbortAndReoffer;
  if (fault.retriable) return KafkaReaction::kRetryCall;
  return KafkaReaction::kRecreate;
}

bool is_fenced(const KafkaFault& fault) {
  switch (fault.code) {
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
      return true;
    default:
      return false;
  }
}

std::string describe(const KafkaFault& fault, std::string_view right) {
  const auto code = static_cast<rd_kafka_resp_err_t>(fault.code);
  std::string text =
      fmt::format("{} ({})", fault.text.empty() ? rd_kafka_err2str(code) : fault.text, rd_kafka_err2name(code));
  if (!right.empty() && is_missing_right(fault.code))
    return text + fmt::format(": give the daemon's user the ACL {}", right);
  if (const std::string_view what_to_do = advice(fault.code); !what_to_do.empty()) {
    text += ": ";
    text += what_to_do;
  }
  return text;
}

KafkaOutcome take_fault(rd_kafka_error_t* error) {
  if (error == nullptr) return std::nullopt;
  KafkaFault fault{rd_kafka_error_code(error), rd_kafka_error_is_retriable(error) != 0,
                   rd_kafka_error_txn_requires_abort(error) != 0, rd_kafka_error_string(error)};
  rd_kafka_error_destroy(error);
  return fault;
}

KafkaFault fault_of(int code, std::string text) { return {code, false, false, std::move(text)}; }

}  // namespace sessionlogd
