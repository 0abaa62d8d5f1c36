// One appliance inside the test's own process: it speaks the veeam-aws dialect and remembers what it was asked.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "tests/support/test_server.h"

namespace sessionlogd::test {

std::string yesterday();  // "2026-01-31", in UTC

// The number that follows `name` in a request's target: of "Offset=200" it is 200. 0: there is none.
std::size_t number_behind(std::string_view target, std::string_view name);

class Appliance {
 public:
  using Request = TestServer::Request;
  using Reply = TestServer::Reply;

  // Responds to some requests in place of the appliance; nullopt leaves them to it. Called on the server's thread.
  using Instead = std::function<std::optional<Reply>(const Request&)>;

  explicit Appliance(Instead instead = [](const Request&) { return std::nullopt; });

  // A [[source]] table that reads it.
  std::string source(const std::string& name, const std::string& password) const;

  std::string address() const { return "127.0.0.1:" + std::to_string(server_.port()); }

  std::atomic<int> sessions = 1;

  void let_go() { server_.let_go(); }  // what replies held back

  // Access tokens that were given out, and those that were handed back.
  std::set<std::string> issued() const;
  std::set<std::string> returned() const;
  int logs_read() const;

 private:
  Reply reply(const Request& request);
  Reply token(const Request& request);
  std::string list(std::string_view target) const;

  Instead instead_;
  mutable std::mutex mutex_;
  std::set<std::string> issued_, returned_;
  int logs_read_ = 0;
  TestServer server_;  // last: its thread uses what stands above
};

}  // namespace sessionlogd::test
