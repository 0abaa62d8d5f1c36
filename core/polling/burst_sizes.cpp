#include "core/polling/burst_sizes.h"

#include <algorithm>
#include <cmath>

namespace sessionlogd {
namespace {

constexpr double kSteps = 8;  // of the logarithm of how many
// More in one read are counted as so many: a few huge ones would leave the others for long.
constexpr double kMost = 32;
constexpr double kMoves = 1.0 / 4, kKept = 50;
constexpr float kKeptOfABin = 100;              // then its counts are halved
constexpr double kThought = 10;                 // of a bin, as large as all
constexpr double kForetoldForgets = 1.0 / 200;  // a burst

}  // namespace

std::size_t bin_of(const std::array<double, 24>& edges, double value) {
  return static_cast<std::size_t>(std::upper_bound(edges.begin() + 1, edges.end(), value) - edges.begin()) - 1;
}

double BurstSizes::own(Kept session) { return std::exp2((session - 1.0) / kSteps); }

double BurstSizes::of_type(double silence) const {
  const Seen& seen = seen_[bin_of(kBinsOfSilence, silence)];
  return (seen.entries + kThought * mean_) / (seen.bursts + kThought);
}

double BurstSizes::expected(Kept session, double silence) const {
  const double in_type = of_type(silence);
  if (session == 0) return in_type;
  return std::max(1.0, in_type + std::clamp(foretold_ / extra_, 0.0, 1.0) * (own(session) - in_type));
}

BurstSizes::Kept BurstSizes::learn(Kept session, double silence, double count, double counted, double dither) {
  count = std::min(count, kMost);
  const double in_type = of_type(silence);
  double before = in_type;
  if (session != 0) {
    before = own(session);
    const double extra = before - in_type;
    foretold_ += counted * (extra * (count - in_type) - kForetoldForgets * foretold_);
    extra_ += counted * (extra * extra - kForetoldForgets * extra_);
  }
  const double now = before + (count - before) * counted * kMoves;
  Seen& seen = seen_[bin_of(kBinsOfSilence, silence)];
  seen.entries += static_cast<float>(counted * count);
  seen.bursts += static_cast<float>(counted);
  if (seen.bursts > kKeptOfABin) seen = {seen.entries / 2, seen.bursts / 2};
  of_bursts_ = std::min(of_bursts_ + counted, kKept);
  mean_ += (count - mean_) * counted / of_bursts_;
  return static_cast<Kept>(std::max(1.0, 1 + kSteps * std::log2(now) + dither));
}

}  // namespace sessionlogd
