// Starts a coroutine that nobody waits for.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <utility>

namespace sessionlogd {

// An exception that leaves it ends the program: what happens in operation is a Result, so this is an error of ours, and
// a daemon that was started again is better than one with a source standing still in silence.
template <class Executor>
void spawn(boost::asio::io_context& io, boost::asio::awaitable<void, Executor> coroutine) {
  boost::asio::co_spawn(io, std::move(coroutine), [](const std::exception_ptr& error) {
    if (error) std::rethrow_exception(error);
  });
}

}  // namespace sessionlogd
