// What an appliance knows of how it was treated: the other half of the judgement, about politeness.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "bench/fleet/faults.h"
#include "bench/fleet/times.h"

namespace fleet {

struct Account {
  std::uint64_t requests = 0;
  std::uint64_t logins = 0;     // with a password
  std::uint64_t refreshes = 0;  // with a refresh token
  std::uint64_t log_answers = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t most_in_flight = 0;
  std::uint64_t busiest_second = 0;      // the most requests of one second of the clock
  std::uint64_t inside_retry_after = 0;  // requests that came although we had asked to wait
  std::uint64_t bad_requests = 0;        // 400, 404, 405: not what the interface documents
  std::uint64_t redirects_followed = 0;
  std::array<std::uint64_t, kFaultKinds> faults{};

  void arrived(Nanos at) {
    ++requests;
    most_in_flight = std::max(most_in_flight, ++in_flight);
    if (at / kSecond != second_) {
      second_ = at / kSecond;
      in_second_ = 0;
    }
    busiest_second = std::max(busiest_second, ++in_second_);
    // What was on its way when we asked to wait is not held against the client.
    if (at > wait_from_ + kWayHere && at < wait_until_ - kTwoClocks) ++inside_retry_after;
  }
  void asked_to_wait(Nanos from, Nanos until) {
    wait_from_ = from;
    wait_until_ = std::max(wait_until_, until);
  }

 private:
  static constexpr Nanos kWayHere = 100 * kMillisecond;
  // A client counts the span on its steady clock, we look at the clock on the wall.
  static constexpr Nanos kTwoClocks = 10 * kMillisecond;
  Nanos second_ = 0;
  std::uint64_t in_second_ = 0;
  Nanos wait_from_ = 0;
  Nanos wait_until_ = 0;
};

}  // namespace fleet
