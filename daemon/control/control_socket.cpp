#include "daemon/control/control_socket.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

#include "config/storage_paths.h"
#include "core/async/spawn.h"
#include "core/async/task.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;

constexpr std::size_t kLongestLine = 4096;
constexpr unsigned kMostConnections = 16;
constexpr std::chrono::seconds kMayTakeToAsk{5};
constexpr std::string_view kOk = "ok ", kFailed = "failed ";

}  // namespace

std::string control_socket_in(const std::string& state_dir) { return state_dir + "/" + state_names::kControl; }

ControlServer::ControlServer(asio::io_context& io, std::string path, Handler handler)
    : io_(io), path_(std::move(path)), handler_(std::move(handler)), acceptor_(io) {
  const stream_protocol::endpoint here(path_);
  ::unlink(path_.c_str());
  acceptor_.open(here.protocol());
  acceptor_.bind(here);
  // Before it listens nobody can connect, whatever the umask let through.
  if (::chmod(path_.c_str(), 0600) != 0)
    throw boost::system::system_error(errno, boost::system::system_category(), path_);
  acceptor_.listen();
  spawn(io_, accept());
}

ControlServer::~ControlServer() { ::unlink(path_.c_str()); }

Task<void> ControlServer::accept() {
  for (;;) {
    boost::system::error_code error;
    Socket socket = co_await acceptor_.async_accept(asio::redirect_error(use_task, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {  // no file descriptor is left, say: that passes
      asio::steady_timer pause(io_, std::chrono::seconds{1});
      co_await pause.async_wait(use_task);
    } else if (open_ < kMostConnections) {
      spawn(io_, serve(std::make_shared<Socket>(std::move(socket))));
    }
  }
}

Task<void> ControlServer::serve(std::shared_ptr<Socket> socket) {
  ++open_;
  boost::system::error_code error;
  std::string line;
  asio::steady_timer deadline(io_, kMayTakeToAsk);
  deadline.async_wait([socket](const boost::system::error_code& stopped) {
    if (!stopped) socket->close();
  });
  const std::size_t size = co_await asio::async_read_until(*socket, asio::dynamic_buffer(line, kLongestLine), '\n',
                                                           asio::redirect_error(use_task, error));
  deadline.cancel();
  if (!error) {
    line.resize(size - 1);
    std::string answer = co_await handler_(std::move(line));
    answer += '\n';
    co_await asio::async_write(*socket, asio::buffer(answer), asio::redirect_error(use_task, error));
  }
  --open_;
}

bool daemon_listens(const std::string& state_dir) {
  asio::io_context io{1};
  stream_protocol::socket socket(io);
  boost::system::error_code error;
  socket.connect(stream_protocol::endpoint(control_socket_in(state_dir)), error);
  return !error;
}

ControlAnswer ask_daemon(const std::string& state_dir, const std::string& line) {
  using Outcome = ControlAnswer::Outcome;
  try {
    asio::io_context io{1};
    stream_protocol::socket socket(io);
    socket.connect(stream_protocol::endpoint(control_socket_in(state_dir)));
    asio::write(socket, asio::buffer(line + '\n'));
    std::string answer;
    boost::system::error_code end;
    asio::read(socket, asio::dynamic_buffer(answer), end);
    if (!answer.ends_with('\n')) return {Outcome::kUnreachable, "it ended before it answered"};
    answer.pop_back();
    if (answer.starts_with(kOk)) return {Outcome::kOk, answer.substr(kOk.size())};
    if (answer.starts_with(kFailed)) return {Outcome::kFailed, answer.substr(kFailed.size())};
    return {Outcome::kFailed, "the daemon answered \"" + answer + "\""};
  } catch (const boost::system::system_error& error) {
    return {Outcome::kUnreachable, error.code().message()};
  }
}

}  // namespace sessionlogd
