// Lets coroutines of one shard wait for each other, or for a time: like a condition variable, on one thread.
#pragma once

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <vector>

#include "core/async/task.h"

namespace sessionlogd {

class Signal {
 public:
  explicit Signal(boost::asio::io_context& io) : io_(io) {}

  // Returns when notified or at `until`. Look again at what was waited for: others may have been faster.
  Task<void> wait_until(SteadyTime until) {
    Timer timer(io_, until);
    waiting_.push_back(&timer);
    boost::system::error_code ignored;
    co_await timer.async_wait(boost::asio::redirect_error(use_task, ignored));
    std::erase(waiting_, &timer);
  }
  Task<void> wait() { return wait_until(SteadyTime::max()); }

  // Wakes all that wait now.
  void notify() {
    for (Timer* timer : waiting_) timer->cancel();
  }

 private:
  boost::asio::io_context& io_;
  std::vector<Timer*> waiting_;
};

}  // namespace sessionlogd
