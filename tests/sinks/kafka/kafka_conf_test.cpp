#include "sinks/kafka/kafka_conf.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "core/base/host_name.h"
#include "core/state/sink.h"
#include "sinks/kafka/kafka_log.h"

namespace sessionlogd {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

KafkaSinkSettings settings_with(std::vector<KafkaProperty> properties) {
  return {.brokers = "localhost:1",
          .topic = "t",
          .state_topic = "s",
          .transactional_id = "id",
          .delivery = Delivery::kExactlyOnce,
          .properties = std::move(properties)};
}

std::string mistakes_of(const KafkaSinkSettings& settings) {
  try {
    (void)KafkaConf::producer(settings);
  } catch (const WrongSetting& wrong) {
    return wrong.what();
  }
  return {};
}

TEST(KafkaConf, OurDefaultsFollowWhatIsConfigured) {
  const KafkaConf plain = KafkaConf::producer(settings_with({}));
  EXPECT_EQ(plain.value_of("message.timeout.ms"), plain.value_of("transaction.timeout.ms"));
  EXPECT_EQ(plain.value_of("compression.codec"), "lz4");
  EXPECT_EQ(plain.value_of("transactional.id"), "id");
  const KafkaConf mine =
      KafkaConf::producer(settings_with({{"transaction.timeout.ms", "5000", {}}, {"compression.codec", "zstd", {}}}));
  EXPECT_EQ(mine.value_of("message.timeout.ms"), "5000");
  EXPECT_EQ(mine.value_of("compression.codec"), "zstd");
}

TEST(KafkaConf, WithoutTransactionsThereIsNoTransactionalId) {
  KafkaSinkSettings settings = settings_with({});
  settings.delivery = Delivery::kAtLeastOnce;
  EXPECT_EQ(KafkaConf::producer(settings).value_of("transactional.id"), "");
}

TEST(KafkaConf, EveryPropertyThatIsRefusedIsNamed) {
  EXPECT_THAT(mistakes_of(settings_with({{"linger.mss", "1", {}}, {"linger.ms", "x", {}}, {"client.id", "ok", {}}})),
              AllOf(HasSubstr("sink.properties.linger.mss: No such configuration property"),
                    HasSubstr("sink.properties.linger.ms:"), Not(HasSubstr("client.id"))));
}

TEST(KafkaConf, ASecretIsNeverShown) {
  ::setenv("KAFKA_CONF_TEST", "hunter2", 1);
  const std::string mistakes = mistakes_of(settings_with({{"linger.ms", "", Secret::parse("env:KAFKA_CONF_TEST")}}));
  EXPECT_THAT(mistakes, AllOf(HasSubstr("linger.ms"), Not(HasSubstr("hunter2"))));
  const KafkaConf conf =
      KafkaConf::producer(settings_with({{"sasl.password", "", Secret::parse("env:KAFKA_CONF_TEST")}}));
  EXPECT_EQ(conf.value_of("sasl.password"), "hunter2");
  EXPECT_EQ(without_secrets("PLAIN hunter2hunter2 x", conf.secrets()), "PLAIN ****** x");
}

// What a group's safety rests on is nobody's to choose; how soon it notices a death is.
TEST(KafkaConf, AMemberOfAGroupIsFoundOutSoonAndCommitsNoOffsets) {
  KafkaSinkSettings settings = settings_with({{"session.timeout.ms", "3000", std::nullopt},
                                              {"enable.auto.commit", "true", std::nullopt},
                                              {"group.id", "another", std::nullopt}});
  settings.group = "fra1";
  const KafkaConf member = KafkaConf::member(settings);
  EXPECT_EQ(member.value_of("group.id"), "s-fra1");
  EXPECT_EQ(member.value_of("enable.auto.commit"), "false");
  EXPECT_EQ(member.value_of("partition.assignment.strategy"), "cooperative-sticky");
  EXPECT_EQ(member.value_of("session.timeout.ms"), "3000");
  EXPECT_EQ(member.value_of("client.id"), "sessionlogd@" + host_name());
}

// What librdkafka says only when the member is made would end a daemon that has founded its group.
TEST(KafkaConf, ASessionOfAMemberIsNoLongerThanItMayHang) {
  KafkaSinkSettings settings = settings_with({{"session.timeout.ms", "15000", std::nullopt}});
  settings.group = "fra1";
  EXPECT_EQ(KafkaConf::member(settings).value_of("session.timeout.ms"), "15000");
  settings = settings_with({{"session.timeout.ms", "15001", std::nullopt}});
  settings.group = "fra1";
  EXPECT_THROW(KafkaConf::member(settings), WrongSetting);
}

TEST(KafkaConf, ALaneOfAGroupHoldsReadersUpForLessAndBuffersLess) {
  KafkaSinkSettings settings = settings_with({});
  settings.group = "fra1";
  const KafkaConf lane = KafkaConf::producer(settings);
  EXPECT_EQ(lane.value_of("transaction.timeout.ms"), "15000");
  EXPECT_EQ(lane.value_of("queue.buffering.max.kbytes"), "16384");
}

}  // namespace
}  // namespace sessionlogd
