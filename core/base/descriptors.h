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

  // With fewer a daemon of so many shards cannot do its work.
  static constexpr std::size_t least(std::size_t shards) { return own(shards) + kLeastConnections; }
  bool are_enough_to_start(std::size_t shards) const { return limit_ >= least(shards); }

  // Idle ones and those in use, for all shards together, where there are enough to start.
  std::size_t connections(std::size_t shards) const {
    const std::size_t quarter = limit_ / 4 < kKeptAtMost ? limit_ / 4 : kKeptAtMost;
    const std::size_t kept = quarter < own(shards) ? own(shards) : quarter;
    return limit_ < kept ? 0 : limit_ - kept;
  }

  // Whether so many sources can keep a connection each.
  bool are_enough_for(std::size_t sources, std::size_t shards) const { return sources <= connections(shards); }

 private:
  static constexpr std::size_t kKeptAtMost = 256;
  static constexpr std::size_t kLeastConnections = 16;

  // What an idle daemon has open is 21 and 6 for each shard; the others come and go: secrets, who asks at the admin
  // address, name servers, brokers, rotated files.
  static constexpr std::size_t own(std::size_t shards) { return 64 + 6 * shards; }

  std::size_t limit_;
};

}  // namespace sessionlogd
