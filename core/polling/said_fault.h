// What was last said to be wrong, so that it is said again only when it changes; and however often it changes (words
// with an id of the request in them are others each time), not too often.
#pragma once

#include <chrono>
#include <deque>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace sessionlogd {

class SaidFault {
 public:
  static constexpr std::chrono::minutes kSpan{10};
  static constexpr unsigned kMostInASpan = 3;

  // Whether `fault` is another than the one last said; from then on it is the one last said. Numbers make no
  // difference: libcurl's words count the milliseconds of every attempt. Other words with the same HTTP status are
  // news after kSpan, whatever else is kMostInASpan times.
  bool is_news(SteadyTime now, const Error& fault) {
    std::string what = "HTTP " + std::to_string(fault.http_status) + " ";
    for (const char c : fault.detail) {
      if (c < '0' || c > '9') what += c;
    }
    if (what == said_) return false;
    while (!news_.empty() && now - news_.front() >= kSpan) news_.pop_front();
    const bool is_same_status = !said_.empty() && fault.http_status != 0 && fault.http_status == status_;
    if (news_.size() >= kMostInASpan || (is_same_status && !news_.empty())) return false;
    said_ = std::move(what);
    status_ = fault.http_status;
    news_.push_back(now);
    return true;
  }

  // It is over; whether anything had been said.
  bool ends() { return !std::exchange(said_, {}).empty(); }

  bool is_open() const { return !said_.empty(); }

 private:
  std::string said_;
  int status_ = 0;
  std::deque<SteadyTime> news_;  // when, within kSpan
};

}  // namespace sessionlogd
