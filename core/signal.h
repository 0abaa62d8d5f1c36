// Lets coroutines of one shard wait for each other, or for a time: like a condition variable, on one thread.
#pragma once

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

#include "core/clock.h"

namespace sessionlogd {

class Signal {
 public:
  explicit Signal(boost::asio::io_context& io) : io_(io) {}

  // Returns when notified or at `until`. Look again at what was waited for: others may have been faster.
  boost::asio::awaitable<void> wait_until(SteadyTime until) {
    Timer timer(io_, until);
    waiting_.push_back(&timer);
    boost::system::error_code ignored;
    co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
    std::erase(waiting_, &timer);
  }
  boost::asio::awaitable<void> wait() { return wait_until(SteadyTime::max()); }

  // Wakes all that wait now.
  void notify() {
    for (Timer* timer : waiting_) timer->cancel();
  }

 private:
  using Timer = boost::asio::basic_waitable_timer<SteadyClock>;

  boost::asio::io_context& io_;
  std::vector<Timer*> waiting_;
};

}  // namespace sessionlogd
