// How far an appliance's clock is from ours, as its Date headers tell. A Date is a whole second, written at some time
// between our sending the request and our having read the response; so each one only bounds the offset, and what is
// known moves no further than the next one demands. Neither a slow response nor the second's end makes it jump.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/timestamp.h"

namespace sessionlogd {

class ClockOffset {
 public:
  // From here on a difference is worth a warning; it ends when less than kWell is left, so that a clock on the edge
  // does not begin and end with every response.
  static constexpr std::chrono::seconds kWrong{5};
  static constexpr std::chrono::seconds kWell{4};
  static constexpr std::chrono::hours kUnusable{24 * 366};

  // `date` in Unix seconds; `sent` and `received` are ours.
  void heard(std::int64_t date, Instant sent, Instant received);

  // The difference is worth a warning.
  bool is_wrong() const { return is_wrong_; }

  // The appliance's clock less ours. After some responses it is known to a fraction of a second.
  std::chrono::milliseconds exact() const { return offset_; }
  // What decisions may use: nothing where no Date came, or one that is more than a year off.
  std::optional<std::chrono::milliseconds> usable() const {
    return heard_ && std::chrono::abs(offset_) <= kUnusable ? std::optional(offset_) : std::nullopt;
  }
  // The same as exact() to the second, towards zero.
  std::chrono::seconds value() const { return std::chrono::duration_cast<std::chrono::seconds>(offset_); }

 private:
  std::chrono::milliseconds offset_{0};
  bool heard_ = false;
  bool is_wrong_ = false;
};

}  // namespace sessionlogd
