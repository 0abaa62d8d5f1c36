#include "daemon/service/heartbeat.h"

#include <utility>

namespace sessionlogd {
namespace {

std::int64_t ns_of(SteadyTime at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

}  // namespace

Heartbeat::Loop Heartbeat::add(std::string name, std::chrono::milliseconds patience) {
  Watched& loop = loops_.emplace_back();
  loop.name = std::move(name);
  loop.patience = patience;
  return loops_.size() - 1;
}

bool Heartbeat::ask(Loop loop, SteadyTime now) {
  std::int64_t none = kNothingAsked;
  return loops_[loop].asked_ns.compare_exchange_strong(none, ns_of(now));
}

void Heartbeat::answered(Loop loop) { loops_[loop].asked_ns = kNothingAsked; }

std::vector<Heartbeat::Silent> Heartbeat::silent(SteadyTime now) const {
  std::vector<Silent> found;
  for (const Watched& loop : loops_) {
    const std::int64_t asked = loop.asked_ns;
    if (asked == kNothingAsked) continue;
    const auto since =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::nanoseconds(ns_of(now) - asked));
    if (since > loop.patience) found.push_back({loop.name, since});
  }
  return found;
}

}  // namespace sessionlogd
