// What was last said to be wrong, so that it is said again only when it changes.
#pragma once

#include <string>
#include <utility>

#include "core/base/result.h"

namespace sessionlogd {

class SaidFault {
 public:
  // Whether `fault` is another than the one last said; from then on it is the one last said. Numbers make no
  // difference: libcurl's words count the milliseconds of every attempt.
  bool is_news(const Error& fault) {
    std::string what = "HTTP " + std::to_string(fault.http_status) + " ";
    for (const char c : fault.detail) {
      if (c < '0' || c > '9') what += c;
    }
    return std::exchange(said_, what) != what;
  }

  // It is over; whether anything had been said.
  bool ends() { return !std::exchange(said_, {}).empty(); }

  bool is_open() const { return !said_.empty(); }

 private:
  std::string said_;
};

}  // namespace sessionlogd
