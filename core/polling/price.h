// The price of a request to one source, in seconds of delay: a session is read, and the sessions are listed, when so
// much delay is to be expected of it. Of entries without memory at a rate r, read each 2 a seconds, the mean age is a,
// and 2 r a^2 of delay gather: that is the price at the rate that was seen. What entries with a memory need beside it
// is a factor, moved until the mean age of what is read is what was asked for. A price moved by ages alone would take
// hundreds of entries to find a slow source's rate, and a pace that changes on the way costs more than it brings.
// The rate is that of all that was seen for long: by day and by night a read is worth the same.
// It knows, too, what the mean age is, and whether requests wait for their turn.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/polling/arrivals.h"

namespace sessionlogd {

class Price {
 public:
  // `aim`: the mean age, seconds.
  explicit Price(double aim) : aim_(aim), mean_age_(aim) {}

  double value() const { return 2 * aim_ * aim_ * entries_ / seconds_ * std::exp(logarithm_); }

  // A session was silent for so many seconds more; with `came` an entry ended that. Silence counts once an entry of any
  // session ends it: where nothing comes at all the price stays, and waits grow to their bound. No more of it counts
  // than a thousand usual silences: days of many sessions would make reads cheap for hours.
  void passed(double seconds, bool came) {
    silent_ += seconds;
    if (!came) return;
    seconds_ += std::min(std::max(std::exchange(silent_, 0), kLeastGap), kMostOfAGap * seconds_ / entries_);
    if (++entries_ < kEntriesKept) return;
    seconds_ /= 2;
    entries_ /= 2;
  }

  // A new entry was so old when it was read. What came at a moment that was known tells nothing of the price. Where a
  // bound made the read earlier than the price, a higher one changes nothing, and a lower one is needed only while the
  // mean age is above the aim. Ages of which nobody could have thought are not for this.
  void saw(double age, ReadChosenBy chooser) {
    mean_age_ += (age - mean_age_) * kRemembers;
    if (chooser == ReadChosenBy::kMoment || (chooser == ReadChosenBy::kBound && mean_age_ <= aim_)) return;
    asked_by_read_ += std::clamp(1 - age / aim_, kMostAtOnce, chooser == ReadChosenBy::kBound ? 0.0 : 1.0);
    ++seen_by_read_;
  }
  // That was all of one read, at so many seconds of some clock. Entries of one read are all as old as they are by one
  // chance, so it counts as one where it shows as many as most do. And however many there are, the price moves no
  // faster than reads can show what came of it: it would swing. What the others ask for is done by later reads.
  void was_read(double now) {
    if (seen_by_read_ > 0) {
      entries_of_a_read_ += (seen_by_read_ - entries_of_a_read_) * kReadsMove;
      asked_for_ += std::exchange(asked_by_read_, 0) / entries_of_a_read_;
      seen_ += std::exchange(seen_by_read_, 0) / entries_of_a_read_;
    }
    if (seen_ < kLeastSeen) return;
    const double used = std::min(seen_, std::max(0.0, now - moved_at_) / (kSlowest * aim_ * kStep));
    move(kStep * used * asked_for_ / seen_);
    const double left = std::min(seen_ - used, kMostLeft) / seen_;
    asked_for_ *= left;
    seen_ *= left;
    moved_at_ = now;
  }
  // Requests wait for their turn: more of them make nothing younger.
  void was_late() {
    move(kStep);
    late_ += (1 - late_) * kRemembers;
  }
  void was_in_time() { late_ -= late_ * kRemembers; }

  // Of the last hundreds of entries; the aim before there are any.
  double mean_age() const { return mean_age_; }
  // Of the last hundreds of reads.
  double share_of_late() const { return late_; }

 private:
  static constexpr double kFirstEntries = 2, kFirstSeconds = 60, kEntriesKept = 50'000;
  static constexpr double kLeastGap = 0.05, kMostOfAGap = 1'000;
  static constexpr double kStep = 1.0 / 100, kMostAtOnce = -6, kFurthest = 7, kRemembers = 1.0 / 200;
  static constexpr double kSlowest = 4;  // aims until all of what is asked for is done
  static constexpr double kMostLeft = 1 / kStep, kLeastSeen = 1e-6, kReadsMove = 1.0 / 16;

  void move(double by) { logarithm_ = std::clamp(logarithm_ + by, -kFurthest, kFurthest); }

  const double aim_;
  double seconds_ = kFirstSeconds, entries_ = kFirstEntries, silent_ = 0;
  double logarithm_ = 0;                         // of the factor
  double asked_by_read_ = 0, seen_by_read_ = 0;  // by entries of the read that is looked at, a sum; and so many
  double entries_of_a_read_ = 1;                 // the mean
  double asked_for_ = 0, seen_ = 0;              // by reads for which it has not moved yet, as by its entries
  double moved_at_ = 0;
  double mean_age_;
  double late_ = 0;
};

}  // namespace sessionlogd
