// A small address of the fleet's own: GET anything responds with what it is given to say, as JSON, one request per
// connection.
#pragma once

#include <functional>
#include <string>

#include "bench/fleet/connection.h"

namespace fleet {

using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;

// `say` is called on the acceptor's thread and outlives it.
Awaitable<void> serve_control(Acceptor acceptor, std::function<std::string()> say);

}  // namespace fleet
