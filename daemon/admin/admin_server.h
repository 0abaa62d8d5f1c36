// Serves HTTP at the admin address, on a thread of its own and within strict limits: whoever connects there, and
// however often, can neither slow down nor stop what the daemon is for. If the address is in use, that is said once and
// tried again: not to be seen is no reason not to collect.
//
//   connection ─▶ one request at a time: at most 8 KiB of header within 10 s, GET, no body, Host a loopback name
//                 ─▶ AdminPages ─▶ response, taken within 30 s ─▶ the next one
//
// At most 64 connections; then a new one ends that which has been without a request the longest, so that idle ones
// never keep others out. A new one is taken once in a millisecond.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "config/admin_address.h"
#include "core/async/task.h"
#include "daemon/admin/admin_pages.h"

namespace sessionlogd {

class AdminServer {
 public:
  // Begins at once. `observed` and `trouble` must outlive this.
  AdminServer(AdminAddress address, Observed observed, const RecentTrouble& trouble);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

 private:
  using Socket = boost::asio::generic::stream_protocol::socket;
  struct Connection {
    explicit Connection(Socket s) : socket(std::move(s)) {}
    Socket socket;
    bool idle = true;  // no complete request has come since the last response
  };
  using Connections = std::list<std::shared_ptr<Connection>>;  // the longest idle first

  Task<void> listen();
  template <class Acceptor>
  Task<void> accept(Acceptor acceptor);
  Task<void> pause(std::chrono::milliseconds span);
  void take(Socket socket);
  Task<void> serve(std::shared_ptr<Connection> connection);
  Task<void> converse(std::shared_ptr<Connection> connection);
  void run();
  void mark_idle(const std::shared_ptr<Connection>& connection);

  const AdminAddress address_;
  boost::asio::io_context io_{1};
  AdminPages pages_;
  Connections connections_;
  std::string bound_socket_;  // ours to remove
  std::thread thread_;
};

}  // namespace sessionlogd
