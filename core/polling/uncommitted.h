// Knows how old the oldest change of a source is that is not committed yet. Batches are committed in the order in which
// they were pushed, by all shards together, so two numbers of the queue tell: how many were pushed, how many committed.
//
// What was pushed within a second is one mark: a sink that is down for hours does not fill memory with them. What is
// committed is forgotten with the next push, whether anybody asks or not.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/clock.h"

namespace sessionlogd {

class Uncommitted {
 public:
  // A batch of the source was pushed at `now`; the queue's counts of pushed and committed ones were these afterwards.
  void pushed(std::uint64_t pushed, std::uint64_t committed, SteadyTime now) {
    forget(committed);
    if (!marks_.empty() && now - marks_.back().since < kOneMark) {
      marks_.back().last = pushed;
    } else {
      marks_.push_back({pushed, now});
    }
  }

  // When the oldest of what is not committed was pushed; nullopt: all is.
  std::optional<SteadyTime> since(std::uint64_t committed) {
    forget(committed);
    return marks_.empty() ? std::nullopt : std::optional(marks_.front().since);
  }

  std::size_t marks() const { return marks_.size(); }

 private:
  void forget(std::uint64_t committed) {
    const auto is_open = [committed](const Mark& mark) { return mark.last > committed; };
    marks_.erase(marks_.begin(), std::ranges::find_if(marks_, is_open));
  }

  static constexpr std::chrono::seconds kOneMark{1};
  struct Mark {
    std::uint64_t last;  // of its batches
    SteadyTime since;    // the first of its batches
  };
  std::vector<Mark> marks_;
};

}  // namespace sessionlogd
