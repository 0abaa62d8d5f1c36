// Learns how many entries a burst has: of each type of sessions by bins of the silence that the burst ended, and of
// each session. A session's own counts as far as what others of its type brought has foretold what they brought next:
// in a type in which chance alone says who brings many, it tells nothing.
#pragma once

#include <array>
#include <cstddef>

namespace sessionlogd {

// Where the bins of a silence begin, in seconds: each is 1.6 times the one before, from a tenth of a second to an hour.
inline constexpr std::array<double, 24> kBinsOfSilence{
    0, 0.1, 0.16, 0.25, 0.4, 0.63, 1, 1.6, 2.5, 4, 6.3, 10, 16, 25, 40, 63, 100, 160, 250, 400, 630, 1e3, 1.6e3, 3.6e3};
std::size_t bin_of(const std::array<double, 24>& edges, double value);

class BurstSizes {
 public:
  // What is kept of one session, 6 bits; 0: nothing is known.
  using Kept = unsigned;

  // How many the next burst is expected to have that ends such a silence.
  double expected(Kept session, double silence) const;
  double mean() const { return mean_; }

  // After such a silence so many came. `counted`, 0 to 1: how much is to be made of it. What is kept is rounded down
  // after `dither`, 0 to 1, was added: if that is another one each time, steps that are too small add up.
  Kept learn(Kept session, double silence, double count, double counted, double dither);

 private:
  static double own(Kept session);
  double of_type(double silence) const;

  struct Seen {
    float entries = 0, bursts = 0;
  };
  std::array<Seen, kBinsOfSilence.size()> seen_{};
  double mean_ = 1, of_bursts_ = 2;  // the mean of so many
  // A regression: how many more than in their type came in sessions, by how many more did before. Sums of products.
  double foretold_ = 1, extra_ = 1;
};

}  // namespace sessionlogd
