// Learns when the sessions of a source begin, by the minute of a half hour: most begin at full and half hours, as
// backup policies do. Says when so much delay is to be expected of sessions that nobody has listed yet that a listing
// is worth its price. Knows nothing of clocks or requests.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sessionlogd {

class Beginnings {
 public:
  static constexpr std::int64_t kLongestLearnedSeconds = 3'600;  // between two listings; of a longer time the last

  // Times are the source's clock, in seconds; of them only the place within a half hour counts.

  // A session began then.
  void began(double at);
  // All that began between was shown.
  void listed(double from, double to);

  // All that began until now was shown: when the delay reaches the price that is to be expected of what begins from now
  // on and is read once it is listed; so long from now, `most` at most.
  double until(double now, double price, double most) const;

 private:
  static constexpr std::size_t kBins = 30;

  static double in_half_hour(double at);
  double rate(std::size_t bin, double usual) const;

  std::array<double, kBins> began_{}, seconds_{};
};

}  // namespace sessionlogd
