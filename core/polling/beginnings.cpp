#include "core/polling/beginnings.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sessionlogd {
namespace {

constexpr double kHalfHour = 1'800, kBin = 60;
constexpr double kThoughtBegun = 0.5;  // sessions that a bin is thought to have seen at the usual rate
constexpr double kBegunAtFirst = 1, kSecondsAtFirst = 3'600;
constexpr double kSecondsKept = 1'200;  // of a bin: in ten hours of half an hour a minute

}  // namespace

double Beginnings::in_half_hour(double at) {
  const double within = std::fmod(at, kHalfHour);
  return within < 0 ? within + kHalfHour : within;
}

void Beginnings::began(double at) { ++began_[static_cast<std::size_t>(in_half_hour(at) / kBin) % kBins]; }

void Beginnings::listed(double from, double to) {
  from = std::max(from, to - kLongestLearnedSeconds);
  while (from < to) {
    const auto bin = static_cast<std::size_t>(in_half_hour(from) / kBin) % kBins;
    const double end = std::min(to, from + kBin - std::fmod(in_half_hour(from), kBin));
    seconds_[bin] += end - from;
    if (seconds_[bin] > kSecondsKept) {
      seconds_[bin] /= 2;
      began_[bin] /= 2;
    }
    from = end;
  }
}

double Beginnings::rate(std::size_t bin, double usual) const {
  return (began_[bin] + kThoughtBegun) / (seconds_[bin] + kThoughtBegun / usual);
}

double Beginnings::until(double now, double price, double most) const {
  const double usual = (std::accumulate(began_.begin(), began_.end(), kBegunAtFirst)) /
                       (std::accumulate(seconds_.begin(), seconds_.end(), kSecondsAtFirst));
  double sessions = 0, delay = 0;
  for (double at = 0; at < most;) {
    const double within = in_half_hour(now + at);
    const double here = rate(static_cast<std::size_t>(within / kBin) % kBins, usual);
    const double span = std::min(most - at, kBin - std::fmod(within, kBin));
    if (delay + sessions * span + here * span * span / 2 >= price)
      return at + 2 * (price - delay) / (sessions + std::sqrt(sessions * sessions + 2 * here * (price - delay)));
    delay += sessions * span + here * span * span / 2;
    sessions += here * span;
    at += span;
  }
  return most;
}

}  // namespace sessionlogd
