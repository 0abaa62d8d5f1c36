// Holds back a credential that was refused: used again and again it would lock the account. For 15 minutes, or until
// the secret changes.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace sessionlogd {

class Parking {
 public:
  static constexpr std::chrono::minutes kSpan{15};

  // `secret` was refused, for this reason. It is not kept, only its hash.
  void refused(const std::string& secret, SteadyTime now, Error why) {
    hash_ = std::hash<std::string>{}(secret);
    until_ = now + kSpan;
    why_ = std::move(why);
  }

  // Why `secret` must not be used now; nullopt: it may be.
  std::optional<Error> holds(const std::string& secret, SteadyTime now) const {
    if (now >= until_ || std::hash<std::string>{}(secret) != hash_) return std::nullopt;
    return why_;
  }

  bool is_empty(SteadyTime now) const { return now >= until_; }
  SteadyTime until() const { return until_; }

 private:
  std::size_t hash_ = 0;
  SteadyTime until_ = SteadyTime::min();
  Error why_;
};

}  // namespace sessionlogd
