// How long to wait after failures: exponential with full jitter, 1 s doubling to 60 s.
#pragma once

#include <chrono>
#include <cstdint>

namespace sessionlogd {

class Backoff {
 public:
  static constexpr std::chrono::milliseconds kFirst{1'000};
  static constexpr std::chrono::milliseconds kMost{60'000};

  // `random` is uniform over 64 bits. The n-th failure in a row gives a wait uniform in [0, min(kFirst * 2^(n-1),
  // kMost)], never less than 100 ms so that it is a wait at all.
  std::chrono::milliseconds failed(std::uint64_t random);
  void succeeded() { failures_ = 0; }
  unsigned failures() const { return failures_; }

 private:
  std::uint8_t failures_ = 0;  // saturates
};

}  // namespace sessionlogd
