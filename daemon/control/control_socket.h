// How an operator's command reaches the running daemon: a Unix socket of mode 0600 in the state directory. One line
// goes in; what comes back, up to the end of the connection, begins with how it went:
//
//   backfill aws-eu 2026-11-01T00:00:00Z  ─▶   ok source=aws-eu is listed again from ...
//                                              failed no source is named aws-eu
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <functional>
#include <memory>
#include <string>

#include "core/async/task.h"

namespace sessionlogd {

std::string control_socket_in(const std::string& state_dir);

class ControlServer {
 public:
  // What to answer; the last "\n" is neither in the line nor in the answer.
  using Handler = std::function<Task<std::string>(std::string line)>;

  // Listens at once; the lock on the state directory must be held, for a socket that lies there is taken to be dead.
  // Throws boost::system::system_error.
  ControlServer(boost::asio::io_context& io, std::string path, Handler handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  using Socket = boost::asio::local::stream_protocol::socket;

  Task<void> accept();
  Task<void> serve(std::shared_ptr<Socket> socket);

  boost::asio::io_context& io_;
  const std::string path_;
  Handler handler_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  unsigned open_ = 0;  // connections
};

// Whether a daemon answers at its socket.
bool daemon_listens(const std::string& state_dir);

// What the daemon answered.
struct ControlAnswer {
  enum class Outcome { kOk, kFailed, kUnreachable } outcome;
  std::string text;
};

// The client's side, for a command of our own. Waits for the answer as long as it takes.
ControlAnswer ask_daemon(const std::string& state_dir, const std::string& line);

}  // namespace sessionlogd
