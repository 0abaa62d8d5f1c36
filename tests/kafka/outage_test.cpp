// Brokers that stay away for longer than the daemon can hold what it reads: the sources keep their logs meanwhile.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <csignal>
#include <thread>

#include "tests/daemon/admin.h"
#include "tests/kafka/bed.h"
#include "tests/kafka/suite.h"

namespace sessionlogd::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kMiB = 1u << 20;
constexpr std::size_t kMemory = 64 * kMiB;
constexpr double kQueueShare = 3.0 / 16;  // core/memory_shares.h

class KafkaOutage : public KafkaTest {};

// No request for a second: what was under way has ended.
bool is_quiet(const SimulatedFleet& fleet) {
  const std::uint64_t before = fleet.count("requests");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  return fleet.count("requests") == before;
}

TEST_F(KafkaOutage, FillsTheQueueAndPausesPollingUntilTheBrokerIsBack) {
  Bed bed(one_broker(), "outage",
          {"--appliances", "12", "--sessions", "10", "--entries", "400", "--duration", "6", "--max-lifetime", "7200"});
  bed.place.edit_config("[daemon]\n", "[daemon]\nmemory = \"64MiB\"\n");
  bed.place.edit_config("[poll]\n", "[poll]\nmax_body = \"16MiB\"\n");
  open_admin_address(bed.place);
  Child daemon = bed.start();
  ASSERT_TRUE(eventually([&] { return bed.read().size() > 20; })) << daemon.err();
  const std::size_t peak_before = daemon.peak_memory_bytes();
  one_broker().kill(0);

  const auto queued = [&] { return sum_of(samples_of(get_body(bed.place, "/metrics")), "sessionlogd_queue_bytes"); };
  EXPECT_TRUE(eventually([&] { return queued() >= kQueueShare * kMemory; })) << queued() << "\n" << daemon.err();
  EXPECT_TRUE(eventually([&] { return is_quiet(bed.fleet); }));
  const std::uint64_t requests = bed.fleet.count("requests");
  EXPECT_TRUE(eventually([&] { return get(bed.place, "/readyz").starts_with("HTTP/1.1 503"); })) << daemon.err();
  std::this_thread::sleep_for(std::chrono::duration<double>(evolution_seconds() / 4));
  EXPECT_EQ(bed.fleet.count("requests"), requests) << "polling goes on although nothing can be taken";
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
