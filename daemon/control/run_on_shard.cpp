#include "daemon/control/run_on_shard.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <utility>

namespace sessionlogd {

namespace asio = boost::asio;

Task<void> run_on(asio::io_context& caller, Shard& shard, std::function<void()> task) {
  auto done = std::make_shared<asio::steady_timer>(caller, asio::steady_timer::time_point::max());
  shard.post([&caller, done, task = std::move(task)] {
    task();
    asio::post(caller, [done] { done->cancel(); });
  });
  boost::system::error_code ignored;
  co_await done->async_wait(asio::redirect_error(use_task, ignored));
}

}  // namespace sessionlogd
