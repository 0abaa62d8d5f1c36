// Brokers that stay away for longer than the daemon can hold what it reads: the sources keep their logs meanwhile.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>
#include <thread>

#include "tests/daemon/admin/admin.h"
#include "tests/kafka/bed.h"
#include "tests/kafka/suite.h"

namespace sessionlogd::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kMiB = 1u << 20;
constexpr std::size_t kMemory = 64 * kMiB;
constexpr double kQueueShare = 3.0 / 16;  // core/base/memory_shares.h

class KafkaOutage : public KafkaTest {};

// No request for so long that sources which are polled would have been asked many times.
bool is_left_alone(const SimulatedFleet& fleet) {
  const std::uint64_t before = fleet.count("requests");
  std::this_thread::sleep_for(std::chrono::duration<double>(evolution_seconds() / 4));
  return fleet.count("requests") == before;
}

// The configuration with its first source only.
std::string beginning(const std::string& config) {
  const std::string source = "\n[[source]]\n";
  return config.substr(0, config.find(source, config.find(source) + 1));
}

TEST_F(KafkaOutage, FillsTheQueueAndPausesPollingUntilTheBrokerIsBack) {
  Bed bed(one_broker(), "outage",
          {"--appliances", "12", "--sessions", "10", "--entries", "400", "--duration", "6", "--max-lifetime", "7200"});
  bed.place.edit_config("[daemon]\n", "[daemon]\nmemory = \"64MiB\"\n");
  bed.place.edit_config("[poll]\n", "[poll]\nmax_body = \"16MiB\"\n");
  // The others come when the broker is away: nothing of theirs is delivered before, however slow this test is.
  const std::string config = read_text(bed.place.config());
  bed.place.write("sessionlogd.toml", beginning(config));
  Child daemon = bed.start();
  ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << daemon.err();
  const std::size_t peak_before = daemon.peak_memory_bytes();
  one_broker().kill(0);
  bed.place.write("sessionlogd.toml", config);
  EXPECT_EQ(bed.place.run("reload").status, 0) << daemon.err();

  const auto queued = [&] { return sum_of(samples_of(get_body(bed.place, "/metrics")), "sessionlogd_queue_bytes"); };
  EXPECT_TRUE(eventually([&] { return queued() >= kQueueShare * kMemory; })) << queued() << "\n" << daemon.err();
  EXPECT_TRUE(eventually([&] { return get(bed.place, "/readyz").starts_with("HTTP/1.1 503"); })) << daemon.err();
  EXPECT_TRUE(eventually([&] { return is_left_alone(bed.fleet); })) << "polling goes on although nothing can be taken";
  EXPECT_THAT(get_body(bed.place, "/readyz"), HasSubstr("sink"));
  EXPECT_THAT(get(bed.place, "/healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(daemon.err(), HasSubstr("cannot take events now"));

  one_broker().restart(0);
  one_broker().wait_ready();
  EXPECT_TRUE(eventually([&] { return get(bed.place, "/readyz").starts_with("HTTP/1.1 200"); })) << daemon.err();
  EXPECT_THAT(daemon.err(), HasSubstr("takes events again"));
  EXPECT_TRUE(eventually([&] { return bed.fleet.is_caught_up(); })) << daemon.err();
  EXPECT_LT(daemon.peak_memory_bytes() - peak_before, kMemory);
  bed.finish(daemon, {"--exact"});
}

}  // namespace
}  // namespace sessionlogd::test
