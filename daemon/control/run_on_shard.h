// The main thread's way to what belongs to a shard.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>

#include "core/async/task.h"
#include "core/polling/shard.h"

namespace sessionlogd {

// Runs `task` on the shard's thread; returns, on the caller's, when it has run. What the task refers to must live until
// the shard's thread has ended, should the caller's loop end before.
Task<void> run_on(boost::asio::io_context& caller, Shard& shard, std::function<void()> task);

}  // namespace sessionlogd
