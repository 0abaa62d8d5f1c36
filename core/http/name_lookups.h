// How many names are being looked up, and whose may be. libcurl's resolver takes a thread for each, and while no name
// server answers it goes on when the request that asked has long ended: there would be as many threads as names are
// asked for. Names that cannot be resolved must not keep out those that can. Knows nothing of curl, nor of threads.
//
//   of all slots   ├── 64: any name ──┤── 32: none that failed last ──┤── 32: only what was resolved before ──┤
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"

namespace sessionlogd {

class NameLookups {
 public:
  // Of one shard. A fleet that is asked for at once has this many under way only while its name server is slow.
  static constexpr std::size_t kMost = 128, kMostUnknown = 96, kMostFailed = 64;
  static constexpr std::chrono::seconds kCountAgain{1};

  // What is known of a name: how its last lookup ended.
  enum class Standing : std::uint8_t { kUnknown, kResolved, kFailed };

  // One begins. False: there are too many for such a name, it must not.
  bool begin(Standing name) {
    const std::size_t most = name == Standing::kResolved  ? kMost
                             : name == Standing::kUnknown ? kMostUnknown
                                                          : kMostFailed;
    if (waited_for_ + left_ >= most) return false;
    ++waited_for_;
    return true;
  }

  // One has ended, whatever came of it.
  void ended() { --waited_for_; }

  // Nobody waits for one of them any more, but its thread.
  void left() {
    --waited_for_;
    ++left_;
  }

  // Whether to count the threads, and tell with running(): only that says which of those that were left have ended.
  bool must_count(SteadyTime now) {
    if (left_ == 0 || now < counted_at_ + kCountAgain) return false;
    counted_at_ = now;
    return true;
  }
  void running(std::size_t threads) { left_ = std::min(left_, threads - std::min(threads, waited_for_)); }

 private:
  std::size_t waited_for_ = 0, left_ = 0;
  SteadyTime counted_at_{};
};

}  // namespace sessionlogd
