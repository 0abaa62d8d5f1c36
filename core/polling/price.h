// The price of a request to one source, in seconds of delay: a session is read, and the sessions are listed, when so
// much delay is to be expected of it. It is moved until the mean age of what is read is what was asked for. It
// knows, too, what that is, and whether requests wait for their turn.
#pragma once

#include <algorithm>
#include <cmath>

namespace sessionlogd {

class Price {
 public:
  // `aim`: the mean age, seconds.
  explicit Price(double aim) : aim_(aim), logarithm_(std::log(kAtFirst * aim * aim)), mean_age_(aim) {}

  double value() const { return std::exp(logarithm_); }

  // A new entry was so old when it was read. Ages that no price is to blame for are not for this.
  void saw(double age) {
    move(1 - age / aim_);
    mean_age_ += (age - mean_age_) * kRemembers;
  }
  // Requests wait for their turn: more of them make nothing younger.
  void was_late() {
    move(1);
    late_ += (1 - late_) * kRemembers;
  }
  void was_in_time() { late_ -= late_ * kRemembers; }

  // Of the last hundreds of entries; the aim before there are any.
  double mean_age() const { return mean_age_; }
  // Of the last hundreds of reads.
  double share_of_late() const { return late_; }

 private:
  static constexpr double kAtFirst = 2.0 / 30;  // an entry each half minute, without memory
  static constexpr double kStep = 1.0 / 100, kFurthest = 7, kRemembers = 1.0 / 200;

  void move(double by) {
    const double middle = std::log(kAtFirst * aim_ * aim_);
    logarithm_ = std::clamp(logarithm_ + kStep * std::clamp(by, -4.0, 1.0), middle - kFurthest, middle + kFurthest);
  }

  const double aim_;
  double logarithm_, mean_age_;
  double late_ = 0;
};

}  // namespace sessionlogd
