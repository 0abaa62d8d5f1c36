#include "daemon/service/service_status.h"

#include <fmt/format.h>

namespace sessionlogd {

std::string ServiceStatus::line(const ServiceFigures& figures, SteadyTime now) {
  if (counted_at_ == SteadyTime{}) {
    counted_at_ = now;
    counted_ = figures.events;
  } else if (now - counted_at_ >= kRateOver) {
    per_second_ =
        static_cast<double>(figures.events - counted_) / std::chrono::duration<double>(now - counted_at_).count();
    counted_at_ = now;
    counted_ = figures.events;
  }
  if (figures.queue_bytes == 0 || figures.commits != commits_ || caught_up_at_ == SteadyTime{}) caught_up_at_ = now;
  commits_ = figures.commits;
  std::string line = fmt::format("{} sources", figures.sources);
  if (figures.failing > 0) line += fmt::format(" ({} failing)", figures.failing);
  line += fmt::format(", {} sessions, {} events, {:.0f}/s, lag {:.1f} s", figures.sessions, figures.events, per_second_,
                      std::chrono::duration<double>(now - caught_up_at_).count());
  if (!figures.sink_waits) return line;
  return fmt::format("waiting for sink={}, polling pauses, nothing is lost: {}", figures.sink, line);
}

}  // namespace sessionlogd
