// How many files and sockets this process may have open, and how many of them may be connections to sources. What is
// left out is kept for the sink, for secrets that are read again, and for whoever looks at the admin address: none of
// them may fail because there are many sources.
#pragma once

#include <cstddef>

namespace sessionlogd {

class Descriptors {
 public:
  // Raises the limit as far as this process may (RLIMIT_NOFILE, soft to hard) and reads it. Before threads are there.
  static Descriptors raise();

  explicit constexpr Descriptors(std::size_t limit) : limit_(limit) {}

  std::size_t limit() const { return limit_; }

  // Idle ones and those in use, for all shards together; at least a few, however low the limit is.
  std::size_t connections() const {
    const std::size_t kept = limit_ / 4 < kKeptAtMost ? limit_ / 4 : kKeptAtMost;
    const std::size_t left = limit_ - kept;
    return left < kLeast ? kLeast : left;
  }

  // Whether so many sources can keep a connection each.
  bool are_enough_for(std::size_t sources) const { return sources <= connections(); }

 private:
  static constexpr std::size_t kKeptAtMost = 256;
  static constexpr std::size_t kLeast = 16;

  std::size_t limit_;
};

}  // namespace sessionlogd
