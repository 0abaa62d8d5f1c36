// How long a source takes to respond: a small histogram of its last thousand responses or so, 66 bytes. Older ones
// count half with every 1,024 that come, so a source that became slow, or quick again, shows within a thousand
// requests.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace sessionlogd {

class ResponseTimes {
 public:
  using Seconds = std::chrono::duration<double>;

  void took(std::chrono::nanoseconds time) {
    const double steps = 2 * std::log2(std::max(Seconds(time).count(), 1e-9) / kFirst.count());
    const double bucket = std::clamp(std::ceil(steps), 0.0, static_cast<double>(kBuckets - 1));
    ++counts_[static_cast<std::size_t>(bucket)];
    if (++total_ < kDecays) return;
    total_ = 0;
    for (std::uint16_t& count : counts_) total_ = static_cast<std::uint16_t>(total_ + (count /= 2));
  }

  // This share of the responses, in (0, 1], took at most so long. It is at most 1.42 times what it should be, never
  // less, and at most 46 s. nullopt: there were none.
  std::optional<Seconds> quantile(double share) const {
    if (total_ == 0) return std::nullopt;
    const double wanted = share * total_;
    std::uint32_t so_far = 0;
    std::size_t bucket = 0;
    while (bucket + 1 < kBuckets && (so_far += counts_[bucket]) < wanted) ++bucket;
    return kFirst * std::exp2(static_cast<double>(bucket) / 2);
  }

 private:
  // Bucket i holds what took up to 1 ms * 2^(i/2).
  static constexpr std::size_t kBuckets = 32;
  static constexpr Seconds kFirst{0.001};
  static constexpr std::uint16_t kDecays = 2'048;

  std::array<std::uint16_t, kBuckets> counts_{};
  std::uint16_t total_ = 0;
};

}  // namespace sessionlogd
