// What an appliance knows of how it was treated: the other half of the judgement, about politeness.
//
// It is told when things happened, and late: the fleet's thread learns of them when it finds the time, and not in their
// order. So it judges them some seconds later, in the order of their times.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <queue>
#include <string>
#include <vector>

#include "bench/fleet/faults.h"
#include "bench/fleet/times.h"

namespace fleet {

// What the client was told to keep to; 0: no limit.
struct Allowance {
  double rate = 0;  // requests a second
  std::uint64_t connections = 0;
};

class Account {
 public:
  static constexpr std::size_t kMostTold = 20;

  std::uint64_t requests = 0;
  std::uint64_t logins = 0;        // with a password
  std::uint64_t hasty_logins = 0;  // of those, less than 30 s after the one before
  std::uint64_t refreshes = 0;     // with a refresh token
  std::uint64_t log_answers = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t most_in_flight = 0;      // from a request's first byte until the client can know that it has ended
  std::uint64_t busiest_second = 0;      // the most requests of one second of the clock
  std::uint64_t above_rate = 0;          // requests that a bucket of one second's worth did not hold
  Nanos most_ahead = 0;                  // how much too early the worst one came, by that bucket
  std::uint64_t inside_retry_after = 0;  // requests that came although the client could have read our wish to wait
  std::uint64_t on_the_wire = 0;         // requests that came so soon after it that it may have crossed them
  Nanos latest_on_the_wire = 0;          // how long it had lain before the client when the last of those came
  std::uint64_t bad_requests = 0;        // 400, 404, 405: not what the interface documents
  std::uint64_t redirects_followed = 0;
  std::array<std::uint64_t, kFaultKinds> faults{};
  // What was not right, one line for each of the first kMostTold, for people; each begins with its time.
  std::vector<std::string> told;

  explicit Account(const Allowance& allowed = {}) : allowed_(allowed) {}

  // A request's first byte. `what`, here and below: words for it that let people find it again.
  void arrived(Nanos at, std::string what = {});
  // That was a login.
  void logged_in(Nanos at, std::string what = {});
  // The client may have known that a request had come to its end, well or not.
  void ended(Nanos at);
  // A whole response that asks to be left alone `until` lay before the client.
  void asked_to_wait(Nanos at, Nanos until, std::string what = {});

  // With everything judged, also what was told just now.
  Account judged() const;

 private:
  struct Happening {
    enum Kind { kEnd, kWish, kArrival, kLogin };
    Nanos at;
    Kind kind;
    Nanos until;
    std::string what;
    auto operator<=>(const Happening&) const = default;
  };

  struct Wish {
    Nanos known_at, until;
    std::string what;
  };

  void heard(Happening happening);
  void judge_up_to(Nanos at);
  void judge(const Happening& happening);
  void judge_arrival(const Happening& request);
  void judge_login(const Happening& request);
  void judge_rate(const Happening& request);
  void judge_wait(const Happening& request);
  void tell(const Happening& request, const std::string& how);

  Allowance allowed_;
  std::priority_queue<Happening, std::vector<Happening>, std::greater<>> heard_;
  Nanos latest_ = 0;
  std::int64_t in_flight_ = 0;
  Nanos second_ = 0;
  std::uint64_t in_second_ = 0;
  Nanos paid_until_ = 0;
  bool has_logged_in_ = false;
  Nanos last_login_ = 0;
  std::vector<Wish> wishes_;  // in order of known_at
};

}  // namespace fleet
