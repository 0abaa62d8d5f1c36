#include "sinks/kafka/kafka_error.h"

#include <gmock/gmock.h>
#include <librdkafka/rdkafka.h>

namespace sessionlogd {
namespace {

struct Row {
  const char* what;
  int code;
  bool retriable, requires_abort;
  KafkaReaction reaction;
};

TEST(KafkaError, HasOneReaction) {
  using enum KafkaReaction;
  const Row table[] = {
      {"the coordinator moves", RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, true, false, kRetryCall},
      {"the last transaction is still being completed", RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, true, false,
       kRetryCall},
      {"no answer within the call", RD_KAFKA_RESP_ERR__TIMED_OUT, true, false, kRetryCall},
      {"a message was given up", RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, false, true, kAbortAndReoffer},
      {"no right to write", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, false, true, kAbortAndReoffer},
      {"an abort that is also called retriable", RD_KAFKA_RESP_ERR__TIMED_OUT, true, true, kAbortAndReoffer},
      {"no answer, and nothing said of it", RD_KAFKA_RESP_ERR__TIMED_OUT, false, false, kRecreate},
      {"the call came at the wrong time", RD_KAFKA_RESP_ERR__STATE, false, false, kRecreate},
      {"fatal", RD_KAFKA_RESP_ERR__FATAL, false, false, kRecreate},
      {"the broker forgot us", RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, false, false, kRecreate},
      {"messages out of order", RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, false, false, kRecreate},
      {"fenced", RD_KAFKA_RESP_ERR__FENCED, false, false, kRecreate},
      {"fenced, by the broker's older word", RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, false, false, kRecreate},
      {"fenced while an abort is asked for", RD_KAFKA_RESP_ERR_PRODUCER_FENCED, false, true, kRecreate},
      {"no right to the transactional id", RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, false, false,
       kRecreate},
      {"a time-out the broker does not allow", RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, false, false, kStop},
      {"a broker without transactions", RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE, false, false, kStop},
      {"a setting that makes no sense", RD_KAFKA_RESP_ERR__INVALID_ARG, true, false, kStop},
  };
  for (const Row& row : table) {
    EXPECT_EQ(classify_kafka({row.code, row.retriable, row.requires_abort, ""}), row.reaction) << row.what;
  }
}

TEST(KafkaError, SaysWhatAPersonCanDo) {
  EXPECT_EQ(
      describe(fault_of(RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, "topic t")),
      "topic t (NOT_ENOUGH_REPLICAS): fewer replicas are in sync than min.insync.replicas asks for: bring brokers "
      "back");
  EXPECT_THAT(describe(fault_of(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)),
              testing::HasSubstr("give the daemon's"));
  EXPECT_EQ(describe(fault_of(RD_KAFKA_RESP_ERR__STATE, "x")), "x (_STATE)");
}

TEST(KafkaError, TakesWhatLibrdkafkaSays) {
  EXPECT_FALSE(take_fault(nullptr));
  const KafkaOutcome fault = take_fault(rd_kafka_error_new(RD_KAFKA_RESP_ERR__FENCED, "%s", "text"));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->text, "text");
  EXPECT_TRUE(is_fenced(*fault));
  EXPECT_FALSE(is_fenced(fault_of(RD_KAFKA_RESP_ERR__TIMED_OUT)));
}

}  // namespace
}  // namespace sessionlogd
