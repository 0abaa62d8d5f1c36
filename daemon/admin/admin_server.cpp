#include "daemon/admin/admin_server.h"

#include <fmt/core.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/system/system_error.hpp>

#include "config/url.h"
#include "core/async/spawn.h"
#include "core/async/task.h"

namespace sessionlogd {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t kMostConnections = 64;
constexpr std::uint32_t kMostHeaderBytes = 8u << 10;
constexpr std::chrono::seconds kMayTakeToAsk{10};
constexpr std::chrono::seconds kMayTakeToListen{30};
constexpr std::chrono::seconds kBindAgain{10};

// So many connections that come and go cost some hundredths of a core at most.
constexpr std::chrono::milliseconds kBetweenConnections{1};
constexpr std::chrono::milliseconds kNoDescriptorLeft{1'000};  // that passes

// Whether somebody answers there: a socket that nobody does is left from a daemon that was killed.
bool is_alive(const asio::local::stream_protocol::endpoint& there) {
  asio::io_context io{1};
  asio::local::stream_protocol::socket socket(io);
  error_code failed;
  socket.connect(there, failed);
  return !failed;
}

asio::local::stream_protocol::acceptor bind_socket(asio::io_context& io, const std::string& path) {
  const asio::local::stream_protocol::endpoint here(path);
  struct stat file {};
  if (::lstat(path.c_str(), &file) == 0 && S_ISSOCK(file.st_mode) && !is_alive(here)) ::unlink(path.c_str());
  asio::local::stream_protocol::acceptor acceptor(io);
  acceptor.open(here.protocol());
  acceptor.bind(here);
  // Before it listens nobody can connect, whatever the umask let through.
  if (::chmod(path.c_str(), 0600) != 0)
    throw boost::system::system_error(errno, boost::system::system_category(), path);
  acceptor.listen();
  return acceptor;
}

asio::ip::tcp::acceptor bind_port(asio::io_context& io, const AdminAddress& address) {
  return {io, asio::ip::tcp::endpoint(asio::ip::make_address(address.host), address.port)};
}

// "localhost:9464", "[::1]:9464", with or without a port.
bool is_our_name(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const std::size_t end = bracketed ? host.find(']') : std::min(host.find(':'), host.size());
  if (end == host.npos) return false;
  const std::string_view port = host.substr(end + (bracketed ? 1 : 0));
  if (!port.empty() && (port[0] != ':' || port.find_first_not_of("0123456789", 1) != port.npos)) return false;
  std::string name(host.substr(bracketed ? 1 : 0, end - (bracketed ? 1 : 0)));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  return is_loopback(name);
}

std::string head_of(const AdminResponse& response, bool keep_alive) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n{}Connection: {}\r\nCache-Control: no-store\r\n"
      "Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'{}{}\r\n"
      "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n"
      "\r\n",
      response.status, std::string_view(http::obsolete_reason(static_cast<http::status>(response.status))),
      response.content_type, response.body->size(), response.status == 405 ? "Allow: GET\r\n" : "",
      keep_alive ? "keep-alive" : "close", response.policy.empty() ? "" : "; ", response.policy);
}

// Ends something when it takes too long.
class Deadline {
 public:
  explicit Deadline(asio::io_context& io) : timer_(io) {}

  void set(std::chrono::seconds most, std::function<void()> end) {
    timer_.expires_after(most);
    timer_.async_wait([end = std::move(end)](const error_code& error) {
      if (!error) end();
    });
  }

 private:
  asio::steady_timer timer_;
};

int status_of(const error_code& error) {
  return error == http::error::header_limit || error == http::error::buffer_overflow ? 431 : 400;
}

using Parser = http::request_parser<http::empty_body>;

struct Asked {
  std::optional<AdminResponse> refused;
  std::string path;
  bool keep_alive = false;
};

Asked read_request(const Parser& parser, const error_code& fault, const AdminAddress& address) {
  if (fault) return {refusal(status_of(fault), fault.message()), {}, false};
  const auto& request = parser.get();
  const bool has_body = parser.chunked() || parser.content_length().value_or(0) > 0;
  const std::string_view target = request.target(), host = request[http::field::host];
  Asked asked{std::nullopt, std::string(target.substr(0, target.find('?'))), request.keep_alive() && !has_body};
  if (request.method() != http::verb::get) {
    asked.refused = refusal(405, "only GET is answered here");
  } else if (has_body) {
    asked.refused = refusal(413, "a request here has no body");
  } else if (!target.starts_with('/')) {
    asked.refused = refusal(400, "not a path");
  } else if (address.socket.empty() && !is_our_name(host)) {
    // Whom another name led here, as a hostile page leads a browser, does not mean us.
    asked.refused = refusal(403, "Host must be a loopback name or address");
  }
  return asked;
}

bool is_fault_of_request(const error_code& error) {
  return error.category() == make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

}  // namespace

AdminServer::AdminServer(AdminAddress address, Observed observed, const RecentTrouble& trouble)
    : address_(std::move(address)), pages_(io_, std::move(observed), trouble) {
  spawn(io_, listen());
  spawn(io_, pages_.keep_history());
  thread_ = std::thread([this] { run(); });
}

AdminServer::~AdminServer() {
  io_.stop();
  thread_.join();
  if (!bound_socket_.empty()) ::unlink(bound_socket_.c_str());
}

// Nothing that goes wrong here may end the daemon.
void AdminServer::run() {
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception& error) {
      spdlog::warn("the admin address {} is in trouble: {}", address_.text(), error.what());
    }
  }
}

Task<void> AdminServer::listen() {
  for (bool said = false;; said = true) {
    std::string why;
    try {
      if (address_.socket.empty()) {
        spawn(io_, accept(bind_port(io_, address_)));
      } else {
        spawn(io_, accept(bind_socket(io_, address_.socket)));
        bound_socket_ = address_.socket;
      }
      if (said) spdlog::info("metrics, health and status are at {} now", address_.text());
      co_return;
    } catch (const boost::system::system_error& error) {
      why = error.code().message();
    }
    if (!said) {
      spdlog::error(
          "cannot listen at {}: {}; collecting goes on without metrics, health and status, and it is tried again. Set "
          "daemon.admin to another address, or to \"\" for none",
          address_.text(), why);
    }
    asio::steady_timer again(io_, kBindAgain);
    co_await again.async_wait(use_task);
  }
}

template <class Acceptor>
Task<void> AdminServer::accept(Acceptor acceptor) {
  for (;;) {
    error_code error;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(use_task, error));
    if (!error) take(std::move(socket));
    co_await pause(error ? kNoDescriptorLeft : kBetweenConnections);
  }
}

Task<void> AdminServer::pause(std::chrono::milliseconds span) {
  asio::steady_timer timer(io_, span);
  co_await timer.async_wait(use_task);
}

void AdminServer::take(Socket socket) {
  if (connections_.size() >= kMostConnections) {
    const auto idle = std::find_if(connections_.begin(), connections_.end(), [](const auto& it) { return it->idle; });
    if (idle == connections_.end()) return;
    error_code ignored;
    (*idle)->socket.close(ignored);
    connections_.erase(idle);
  }
  connections_.push_back(std::make_shared<Connection>(std::move(socket)));
  spawn(io_, serve(connections_.back()));
}

Task<void> AdminServer::serve(std::shared_ptr<Connection> connection) {
  try {
    co_await converse(connection);
  } catch (const std::exception& error) {
    spdlog::warn("a request at {} could not be answered: {}", address_.text(), error.what());
  }
  error_code ignored;
  connection->socket.close(ignored);
  connections_.remove(connection);
}

Task<void> AdminServer::converse(std::shared_ptr<Connection> connection) {
  boost::beast::flat_buffer buffer(kMostHeaderBytes);
  Deadline deadline(io_);
  const auto end = [connection] {
    error_code ignored;
    connection->socket.close(ignored);
  };
  for (bool keep_alive = true; keep_alive;) {
    Parser parser;
    parser.header_limit(kMostHeaderBytes);
    error_code error;
    deadline.set(kMayTakeToAsk, end);
    co_await http::async_read_header(connection->socket, buffer, parser, asio::redirect_error(use_task, error));
    if (error && !is_fault_of_request(error)) co_return;
    connection->idle = false;
    deadline.set(kMayTakeToListen, end);
    const Asked asked = read_request(parser, error, address_);
    AdminResponse response;
    if (asked.refused) {
      response = *asked.refused;
    } else {
      response = co_await pages_.get(asked.path);
    }
    keep_alive = asked.keep_alive;
    const std::string head = head_of(response, keep_alive);
    const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(*response.body)};
    co_await asio::async_write(connection->socket, parts, asio::redirect_error(use_task, error));
    if (error) co_return;
    mark_idle(connection);
  }
}

// The longest idle stand first. One that was ended to make room is in the list no more.
void AdminServer::mark_idle(const std::shared_ptr<Connection>& connection) {
  connection->idle = true;
  const auto at = std::find(connections_.begin(), connections_.end(), connection);
  if (at != connections_.end()) connections_.splice(connections_.end(), connections_, at);
}

}  // namespace sessionlogd
