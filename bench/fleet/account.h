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
  std::uint64_t logins = 0;        // with a password
  std::uint64_t hasty_logins = 0;  // of those, less than 30 s after the one before
  std::uint64_t refreshes = 0;     // with a refresh token
  std::uint64_t log_answers = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t most_in_flight = 0;
  std::uint64_t busiest_second = 0;      // the most requests of one second of the clock
  std::uint64_t above_rate = 0;          // requests that a bucket of one second's worth did not hold
  Nanos most_ahead = 0;                  // how much too early the worst one came, by that bucket
  std::uint64_t inside_retry_after = 0;  // requests that came although we had asked to wait
  std::uint64_t on_the_wire = 0;         // requests that cannot have known of it yet
  Nanos latest_on_the_wire = 0;          // how long after our asking the last of those came
  std::uint64_t bad_requests = 0;        // 400, 404, 405: not what the interface documents
  std::uint64_t redirects_followed = 0;
  std::array<std::uint64_t, kFaultKinds> faults{};

  // `rate`: requests a second that the client is to keep to, 0: none. `answered`: when the request before was, on the
  // same connection; 0: there was none.
  void arrived(Nanos at, double rate, Nanos answered = 0) {
    ++requests;
    most_in_flight = std::max(most_in_flight, ++in_flight);
    if (at / kSecond != second_) {
      second_ = at / kSecond;
      in_second_ = 0;
    }
    busiest_second = std::max(busiest_second, ++in_second_);
    if (rate > 0) fill_bucket(at, rate);
    if (at < wait_until_ - kTwoClocks) waited_for(at, answered);
  }
  void asked_to_wait(Nanos from, Nanos until) {
    if (from >= wait_until_) wait_from_ = from;
    wait_until_ = std::max(wait_until_, until);
  }
  void logged_in(Nanos at) {
    constexpr Nanos kBetweenLogins = 30 * kSecond;
    if (logins++ > 0 && at - last_login_ < kBetweenLogins - kStandstill) ++hasty_logins;
    last_login_ = at;
  }

 private:
  // What was sent before the answer that asked to wait was read cannot be held against the client: while that answer is
  // under way, each of its other connections may end a request and begin another. They come 1 to 8 ms later, and
  // seconds later where a process stood still: so it is not their time that tells, but that of the answer which their
  // client had read for certain.
  void waited_for(Nanos at, Nanos answered) {
    if (answered > wait_from_ + kWayHere) {
      ++inside_retry_after;
      return;
    }
    ++on_the_wire;
    latest_on_the_wire = std::max(latest_on_the_wire, at - wait_from_);
  }

  // Requests that were sent apart may arrive together, so what is a little too early is not held against the client.
  void fill_bucket(Nanos at, double rate) {
    const auto cost = static_cast<Nanos>(static_cast<double>(kSecond) / rate);
    const Nanos ahead = paid_until_ - std::max<Nanos>(kSecond - cost, 0) - at;
    most_ahead = std::max(most_ahead, ahead);
    if (ahead > kWayHere) ++above_rate;
    paid_until_ = std::max(paid_until_, at) + cost;
  }

  static constexpr Nanos kWayHere = 100 * kMillisecond;
  static constexpr Nanos kStandstill = 3 * kSecond;  // of one login, and none of the next
  // A client counts the span on its steady clock, we look at the clock on the wall.
  static constexpr Nanos kTwoClocks = 10 * kMillisecond;
  Nanos second_ = 0;
  std::uint64_t in_second_ = 0;
  Nanos paid_until_ = 0;
  Nanos last_login_ = 0;
  Nanos wait_from_ = 0;
  Nanos wait_until_ = 0;
};

}  // namespace fleet
