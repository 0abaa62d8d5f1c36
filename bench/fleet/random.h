// A small generator whose numbers are the same on every machine and with every standard library: a fleet must be
// replayable from its seed alone, which std::uniform_int_distribution does not promise.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fleet {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // splitmix64: every seed is a good seed, also small and neighbouring ones.
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // In [0, bound); 0 for a bound of 0.
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
  // In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return high <= low ? low : low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  // In [0, 1).
  double real() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  bool chance(double probability) { return probability > 0 && real() < probability; }

  template <class T, std::size_t N>
  const T& pick(const T (&from)[N]) {
    return from[below(N)];
  }

 private:
  std::uint64_t state_;
};

// A seed for one part of a whole: the same parts give the same seed, and neighbours are unrelated.
inline std::uint64_t seed_of(std::uint64_t whole, std::uint64_t part) {
  return Random(whole ^ (part + 1) * 0xd6e8feb86659fd93u).next();
}

}  // namespace fleet
