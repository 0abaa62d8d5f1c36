// The seed of a random test: new in every run and printed. SESSIONLOGD_TEST_SEED=N brings a failure back.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>

namespace sessionlogd::test {

inline std::uint64_t random_seed() {
  const char* given = std::getenv("SESSIONLOGD_TEST_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "SESSIONLOGD_TEST_SEED=" << seed << std::endl;
  return seed;
}

}  // namespace sessionlogd::test
