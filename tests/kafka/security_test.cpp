// A broker that asks who is there and looks at what they may do.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <librdkafka/rdkafka.h>

#include <csignal>
#include <memory>

#include "sinks/kafka/kafka_error.h"
#include "sinks/kafka/kafka_group_check.h"
#include "sinks/kafka/kafka_producer.h"
#include "tests/daemon/admin/admin.h"
#include "tests/kafka/acl.h"
#include "tests/kafka/bed.h"
#include "tests/kafka/secured.h"
#include "tests/kafka/suite.h"

namespace sessionlogd::test {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<std::string> kSecuredFleet = {"--appliances", "4",  "--sessions", "5",
                                                "--entries",    "20", "--duration", "3"};
const std::vector<std::string> kLongSecuredFleet = {"--appliances", "4",  "--sessions", "5",
                                                    "--entries",    "40", "--duration", "12"};

constexpr const char* kUser = "User:sessionlogd";
constexpr const char* kCertificateUser = "User:CN=sessionlogd";

// The rights that sinks/kafka/README.md lists, and no others.
std::vector<Acl> rights_in(const Bed& bed) {
  using enum Acl::Right;
  return {{.name = bed.topic, .right = kWrite},
          {.name = bed.topic, .right = kDescribeConfigs},
          {.name = bed.state_topic, .right = kWrite},
          {.name = bed.state_topic, .right = kRead},
          {.name = bed.state_topic, .right = kDescribeConfigs},
          {.name = bed.state_topic, .right = kCreate},
          {.kind = Acl::Kind::kTransactionalId, .name = bed.topic, .matches = Acl::Name::kPrefix}};
}

class KafkaSecurity : public KafkaTest {
 protected:
  void SetUp() override {
    if (!secured_) secured_ = std::make_unique<SecuredCluster>();
  }
  static void TearDownTestSuite() { secured_.reset(); }

  static Cluster& cluster() { return secured_->cluster(); }

  static void give(const Acl& acl, const std::string& user = kUser) { allow(cluster().addresses(), user, acl); }
  static void take(const Acl& acl, const std::string& user = kUser) { withdraw(cluster().addresses(), user, acl); }

  // Goes in by one of the listeners.
  static void go_in_by(const Bed& bed, const std::string& listener, const std::string& properties) {
    const std::string id = fmt::format("transactional_id = \"{}\"\n", bed.topic);
    bed.place.edit_config(cluster().addresses(), cluster().addresses(listener));
    bed.place.edit_config(id, id + "properties = { " + properties + " }\n");
  }
  static void go_in_by_password(const Bed& bed, const std::string& mechanism = "PLAIN") {
    bed.place.write("kafka-password", SecuredCluster::kPassword);
    go_in_by(
        bed, "PASSWORD",
        fmt::format(R"("security.protocol" = "SASL_SSL", "ssl.ca.location" = "{}", "sasl.mechanism" = "{}", )"
                    R"("sasl.username" = "{}", "sasl.password" = "file:{}")",
                    secured_->authority(), mechanism, SecuredCluster::kUser, (bed.place / "kafka-password").string()));
  }

  static KafkaSinkSettings settings_of(const Bed& bed) {
    bed.place.write("kafka-password", SecuredCluster::kPassword);
    return {.brokers = cluster().addresses("PASSWORD"),
            .topic = bed.topic,
            .state_topic = bed.state_topic,
            .transactional_id = bed.topic,
            .properties = {{"security.protocol", "SASL_SSL", {}},
                           {"ssl.ca.location", secured_->authority(), {}},
                           {"sasl.mechanism", "PLAIN", {}},
                           {"sasl.username", SecuredCluster::kUser, {}},
                           {"sasl.password", "", Secret::parse("file:" + (bed.place / "kafka-password").string())}}};
  }

  static std::unique_ptr<SecuredCluster> secured_;
};
std::unique_ptr<SecuredCluster> KafkaSecurity::secured_;

TEST_F(KafkaSecurity, DeliversByPasswordWithTheRightsThatReadmeLists) {
  Bed bed(cluster(), "rights", kSecuredFleet);
  go_in_by_password(bed);
  for (const Acl& right : rights_in(bed)) give(right);
  Child daemon = bed.start();
  // Check reads a log of each source, too: while logs change it would be served states that the daemon never sees.
  ASSERT_TRUE(eventually([&] { return bed.fleet.is_caught_up(); })) << daemon.err();
  const Outcome check = bed.place.run("check", {"--connect"});
  EXPECT_EQ(check.status, 0) << check.out << check.err;
  bed.finish(daemon, {"--exact"});
  EXPECT_THAT(daemon.err(), Not(HasSubstr(SecuredCluster::kPassword)));
  EXPECT_THAT(daemon.err(), Not(HasSubstr("authoriz"))) << "a right is missing";
}

TEST_F(KafkaSecurity, CheckNamesTheRightThatIsMissing) {
  Bed bed(cluster(), "check", kSecuredFleet);
  go_in_by_password(bed);
  const std::vector<Acl> rights = rights_in(bed);
  for (const Acl& right : rights) give(right);
  // The brokers take a moment to know a rule.
  const auto says = [&](const std::string& text) {
    Outcome last;
    const bool said = eventually([&] {
      last = bed.place.run("check", {"--connect"});
      return last.out.find(text) != std::string::npos;
    });
    EXPECT_TRUE(said) << text << "\n" << last.out;
    return last.status;
  };
  EXPECT_EQ(says("state topic check-state: does not exist: the first start creates it  ok"), 0);
  take(rights[5]);
  EXPECT_EQ(says("the ACL Create on topic check-state"), 1);
  bed.outside.create_topic(bed.state_topic, 2, {{"cleanup.policy", "compact"}});
  const std::string named[] = {"Describe (Write includes it) on topic check",
                               "DescribeConfigs on topic check",
                               "Write on topic check-state",
                               "Read on topic check-state",
                               "DescribeConfigs on topic check-state",
                               "",
                               "Write on the transactional id check-check"};
  for (std::size_t i = 0; i < rights.size(); ++i) {
    if (named[i].empty()) continue;
    SCOPED_TRACE(named[i]);
    take(rights[i]);
    const int status = says("give the daemon's user the ACL " + named[i]);
    EXPECT_EQ(status, rights[i].right == Acl::Right::kDescribeConfigs ? 0 : 1);  // only limits are not known then
    give(rights[i]);
  }
  EXPECT_EQ(says("last commit of check: none yet  ok"), 0);
}

TEST_F(KafkaSecurity, CheckNamesTheRightToJoinTheGroup) {
  const Bed bed(cluster(), "joined", kSecuredFleet);
  KafkaSinkSettings settings = settings_of(bed);
  settings.group = "group";
  const std::string group = bed.state_topic + "-group";
  for (const Acl::Right lesser : {Acl::Right::kDescribe, Acl::Right::kRead}) {
    EXPECT_THAT(check_right_to_join(settings).fault, HasSubstr("the ACL Read on group " + group));
    give({.kind = Acl::Kind::kGroup, .name = group, .right = lesser});
  }
  EXPECT_EQ(check_right_to_join(settings).fault, "") << "whatever is known of the topic";
}

TEST_F(KafkaSecurity, DeliversByCertificate) {
  Bed bed(cluster(), "certificate", kSecuredFleet);
  go_in_by(bed, "CERTIFICATE",
           fmt::format(R"("security.protocol" = "SSL", "ssl.ca.location" = "{}", "ssl.certificate.location" = "{}", )"
                       R"("ssl.key.location" = "{}")",
                       secured_->authority(), secured_->client_certificate(), secured_->client_key()));
  for (const Acl& right : rights_in(bed)) give(right, kCertificateUser);
  Child daemon = bed.start();
  bed.finish(daemon, {"--exact"});
}

// librdkafka below 2.6.1 cannot, and calls it a wrong password.
TEST_F(KafkaSecurity, DeliversByScramOrSaysThatTheLibraryCannot) {
  Bed bed(cluster(), "scram", kSecuredFleet);
  go_in_by_password(bed, "SCRAM-SHA-512");
  for (const Acl& right : rights_in(bed)) give(right);
  Child daemon = bed.start();
  if (rd_kafka_version() >= 0x02060100) return bed.finish(daemon, {"--exact"});
  EXPECT_TRUE(says(daemon, "refuse the SCRAM-SHA-512 of librdkafka")) << daemon.err();
}

TEST_F(KafkaSecurity, VerifyNamesTheOneRightThatItNeedsBesideTheDaemons) {
  Bed bed(cluster(), "verified", {"--static", "--appliances", "1", "--sessions", "2"});
  go_in_by_password(bed);
  for (const Acl& right : rights_in(bed)) give(right);
  const Outcome collected = bed.place.run("collect");
  ASSERT_EQ(collected.status, 0) << collected.err;
  Outcome found = bed.place.run("verify", {"--since", "365d"});
  EXPECT_EQ(found.status, 1) << found.out;
  EXPECT_THAT(found.err, HasSubstr("the ACL Read on topic verified"));
  give({.name = bed.topic, .right = Acl::Right::kRead});
  EXPECT_TRUE(eventually([&] {
    found = bed.place.run("verify", {"--since", "365d"});
    return found.status == 0;
  })) << found.out
      << found.err;
}

// The transaction is stopped in the background, and whatever is called next hears of it.
TEST_F(KafkaSecurity, ACallThatFindsTheTransactionStoppedSaysWhatStoppedIt) {
  Bed bed(cluster(), "stopped", kSecuredFleet);
  give({.name = bed.topic, .right = Acl::Right::kDescribe});
  give({.name = bed.state_topic, .right = Acl::Right::kWrite});
  give({.kind = Acl::Kind::kTransactionalId, .name = bed.topic, .matches = Acl::Name::kPrefix});
  const KafkaSinkSettings settings = settings_of(bed);
  KafkaProducer producer(KafkaConf::producer(settings), settings);
  Patience patience({}, std::chrono::seconds(60), std::chrono::seconds(1));
  const KafkaOutcome ready = producer.init(patience);
  ASSERT_FALSE(ready) << describe(*ready);
  const KafkaOutcome begun = producer.begin();
  ASSERT_FALSE(begun) << describe(*begun);
  KafkaOutcome fault;
  EXPECT_TRUE(eventually([&] {
    if (!fault) fault = producer.add_event({.key = "key", .value = "{}", .headers = {}}, patience);
    return fault.has_value();
  }));
  ASSERT_TRUE(fault);
  EXPECT_THAT(describe(*fault), HasSubstr("give the daemon's user the ACLs Write")) << fault->code;
  EXPECT_EQ(classify_kafka(*fault), KafkaReaction::kAbortAndReoffer);
}

bool is_ready(const Bed& bed) { return get(bed.place, "/readyz").starts_with("HTTP/1.1 200"); }

// Of SessionlogdSinkNotCommitting, at once.
bool meets_the_alert(const Bed& bed) {
  return samples_of(get_body(bed.place, "/metrics"))["sessionlogd_sink_waiting"] == 1;
}

// Listings go on, and with them rows of the state, also when the fleet has come to rest.
TEST_F(KafkaSecurity, WaitsForRightsThatWereWithdrawn) {
  Bed bed(cluster(), "withdrawn", kLongSecuredFleet);
  go_in_by_password(bed);
  for (const Acl& right : rights_in(bed)) give(right);
  Child daemon = bed.start();
  ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << daemon.err();
  for (const Acl& right : rights_in(bed)) {
    if (right.right != Acl::Right::kWrite) continue;
    SCOPED_TRACE(right.name);
    const std::size_t before = daemon.err().size();
    const std::string remedy = right.kind == Acl::Kind::kTopic
                                   ? "give the daemon's user the ACLs Write"
                                   : "give the daemon's user the ACL Write on the transactional id";
    take(right);
    EXPECT_TRUE(bed.is_told(daemon, remedy, before)) << daemon.err();
    EXPECT_TRUE(eventually([&] { return !is_ready(bed) && meets_the_alert(bed); })) << daemon.err();
    // Each try may find another of the rights missing.
    EXPECT_THAT(get_body(bed.place, "/readyz"), HasSubstr("give the daemon's user the ACL"));
    give(right);
    EXPECT_TRUE(bed.is_well()) << daemon.err();
    EXPECT_TRUE(eventually([&] { return is_ready(bed) && !meets_the_alert(bed); })) << daemon.err();
  }
  EXPECT_THAT(daemon.err(), HasSubstr("cannot take events now: "));
  bed.finish(daemon, {"--exact"});
}

// The last one, since it changes the password.
TEST_F(KafkaSecurity, WaitsForTheRightPassword) {
  Bed bed(cluster(), "password", kLongSecuredFleet);
  go_in_by_password(bed);
  for (const Acl& right : rights_in(bed)) give(right);
  bed.place.write("kafka-password", "wrong-horse");
  Child daemon = bed.start();
  EXPECT_TRUE(says(daemon, "cannot start now")) << daemon.err();
  EXPECT_THAT(daemon.err(), HasSubstr("look at the properties sasl.*"));
  bed.place.write("kafka-password", SecuredCluster::kPassword);
  ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << daemon.err();

  secured_->change_password(SecuredCluster::kPassword, "newer-horse");
  EXPECT_TRUE(says(daemon, "cannot take events now")) << daemon.err();
  bed.place.write("kafka-password", "newer-horse");
  EXPECT_TRUE(says(daemon, "takes events again")) << daemon.err();
  bed.finish(daemon, {"--exact"});
  secured_.reset();  // nobody else knows its password
  EXPECT_THAT(daemon.err(), Not(HasSubstr("-horse")));
}

}  // namespace
}  // namespace sessionlogd::test
