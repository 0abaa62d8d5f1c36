#include "daemon/service/service_status.h"

#include <gtest/gtest.h>

namespace sessionlogd::test {
namespace {

using namespace std::chrono_literals;

TEST(ServiceStatus, HoldsTheFigures) {
  const SteadyTime t{1h};
  ServiceStatus status;
  ServiceFigures figures{.sources = 3, .sessions = 40, .events = 1000, .commits = 7, .queue_bytes = 10};
  EXPECT_EQ(status.line(figures, t), "3 sources, 40 sessions, 1000 events, 0/s, lag 0.0 s");
  figures.failing = 1;
  figures.events = 1500;
  EXPECT_EQ(status.line(figures, t + 2s), "3 sources (1 failing), 40 sessions, 1500 events, 0/s, lag 2.0 s");
  figures.commits = 8;
  figures.events = 2000;
  EXPECT_EQ(status.line(figures, t + 5s), "3 sources (1 failing), 40 sessions, 2000 events, 200/s, lag 0.0 s");
  figures.queue_bytes = 0;
  EXPECT_EQ(status.line(figures, t + 10s), "3 sources (1 failing), 40 sessions, 2000 events, 0/s, lag 0.0 s");
}

TEST(ServiceStatus, BeginsWithTheSinkThatIsWaitedFor) {
  const SteadyTime t{1h};
  ServiceStatus status;
  ServiceFigures figures{.sources = 1, .queue_bytes = 10, .sink_waits = true, .sink = "kafka:logs"};
  status.line(figures, t);
  EXPECT_EQ(status.line(figures, t + 1min),
            "waiting for sink=kafka:logs, polling pauses, nothing is lost: 1 sources, 0 sessions, 0 events, 0/s, lag "
            "60.0 s");
}

}  // namespace
}  // namespace sessionlogd::test
