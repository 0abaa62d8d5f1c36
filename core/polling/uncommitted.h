// Knows how old the oldest change of a source is that is not committed yet. Batches are committed in the order in which
// they were pushed, by all shards together, so two numbers of the queue tell: how many were pushed, how many committed.
//
// What was pushed within a second is one mark: a sink that is down for hours does not fill memory with them.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "core/base/clock.h"

namespace sessionlogd {

class Uncommitted {
 public:
  // A batch of the source was pushed at `now`; the queue's count of pushed ones was `pushed` afterwards.
  void pushed(std::uint64_t pushed, SteadyTime now) {
    if (!marks_.empty() && now - marks_.back().since < kOneMark) {
      marks_.back().last = pushed;
    } else {
      marks_.push_back({pushed, now});
    }
  }

  // When the oldest of what is not committed was pushed; nullopt: all is.
  std::optional<SteadyTime> since(std::uint64_t committed) {
    while (!marks_.empty() && marks_.front().last <= committed) marks_.pop_front();
    return marks_.empty() ? std::nullopt : std::optional(marks_.front().since);
  }

 private:
  static constexpr std::chrono::seconds kOneMark{1};
  struct Mark {
    std::uint64_t last;  // of its batches
    SteadyTime since;    // the first of its batches
  };
  std::deque<Mark> marks_;
};

}  // namespace sessionlogd
