// What to do about an error of librdkafka.
#pragma once

#include <optional>
#include <string>
#include <string_view>

struct rd_kafka_error_s;

namespace sessionlogd {

enum class KafkaReaction {
  kRetryCall,        // the same call again
  kAbortAndReoffer,  // the transaction cannot be committed: abort it, offer its batches again
  kRecreate,         // a new producer, which reads the commit record: what was in doubt is then known
  kStop,             // waiting does not help: a person must act
};

struct KafkaFault {
  int code = 0;  // rd_kafka_resp_err_t
  bool retriable = false;
  bool requires_abort = false;
  std::string text;
};

// nullopt: it went well.
using KafkaOutcome = std::optional<KafkaFault>;

// The order of the questions matters: an error that asks for an abort may also be called retriable, and one that is
// neither leaves the producer unusable, fatal or not.
KafkaReaction classify_kafka(const KafkaFault& fault);

// Another producer has our transactional id, or the broker gave up on our transaction: the commit record tells which.
bool is_fenced(const KafkaFault& fault);

// "topic x: not authorized (TOPIC_AUTHORIZATION_FAILED): give ... the ACL ...". `right` is what the call needs, where
// that is known: "Read on topic x".
std::string describe(const KafkaFault& fault, std::string_view right = {});

// Takes the error and frees it.
KafkaOutcome take_fault(rd_kafka_error_s* error);
KafkaFault fault_of(int code, std::string text = {});

}  // namespace sessionlogd
