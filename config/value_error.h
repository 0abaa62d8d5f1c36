// Why a value in a configuration cannot be taken, in the words "found ..., expected ...". Where it stands is added by
// the reader.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace sessionlogd {

struct ValueError : std::runtime_error {
  using std::runtime_error::runtime_error;
  ValueError(std::string_view found, std::string_view expected)
      : std::runtime_error("found " + std::string(found) + ", expected " + std::string(expected)) {}
};

}  // namespace sessionlogd
