// One client connection to one appliance: reads requests, sends responses, and mistreats them as the appliance decided.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>

#include "bench/fleet/appliance.h"
#include "bench/fleet/timed_socket.h"

namespace fleet {

template <class T>
using Awaitable = boost::asio::awaitable<T, Executor>;

// `appliance` outlives the connection. `tls` may be null: plain HTTP.
Awaitable<void> converse(Socket socket, Appliance& appliance, boost::asio::ssl::context* tls);

// The connection of an appliance that takes calls and never says a word.
Awaitable<void> keep_silent(Socket socket);

}  // namespace fleet
