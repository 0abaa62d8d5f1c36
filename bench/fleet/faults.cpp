#include "bench/fleet/faults.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <string>

namespace fleet {

namespace {

constexpr std::array<std::string_view, kFaultKinds> kNames = {"none", "429",    "503",  "500", "reset", "truncate",
                                                              "slow", "expire", "html", "cut", "empty", "hang"};

}  // namespace

std::string_view fault_name(Fault fault) { return kNames[static_cast<std::size_t>(fault)]; }

void FaultMix::set(std::string_view text) {
  const std::size_t equals = text.find('=');
  const auto name = std::find(kNames.begin() + 1, kNames.end(), text.substr(0, equals));
  if (equals == std::string_view::npos || name == kNames.end()) {
    std::string known;
    for (std::size_t i = 1; i < kFaultKinds; ++i) known += ' ' + std::string(kNames[i]);
    throw std::invalid_argument("a fault is NAME=PROBABILITY with one of these names:" + known);
  }
  const std::string_view number = text.substr(equals + 1);
  double share = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), share);
  if (error != std::errc{} || end != number.data() + number.size() || share < 0 || share > 1) {
    throw std::invalid_argument("a probability lies between 0 and 1: " + std::string(text));
  }
  share_[static_cast<std::size_t>(name - kNames.begin())] = share;
}

FaultMix FaultMix::of_everything() {
  FaultMix mix;
  for (const Fault fault :
       {Fault::error, Fault::reset, Fault::truncate, Fault::slow, Fault::html, Fault::cut, Fault::empty}) {
    mix.set(fault, 0.008);
  }
  // These stop a whole source for a while.
  for (const Fault fault : {Fault::too_many, Fault::unavailable, Fault::expire, Fault::hang}) mix.set(fault, 0.003);
  return mix;
}

Fault FaultMix::draw(Random& random) const {
  double point = random.real();
  for (std::size_t i = 1; i < kFaultKinds; ++i) {
    if (point < share_[i]) return static_cast<Fault>(i);
    point -= share_[i];
  }
  return Fault::none;
}

bool FaultMix::any() const {
  return std::any_of(share_.begin(), share_.end(), [](double share) { return share > 0; });
}

}  // namespace fleet
