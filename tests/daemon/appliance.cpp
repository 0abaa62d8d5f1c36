#include "tests/daemon/appliance.h"

#include <fmt/format.h>

#include <cstdlib>

#include <boost/beast/http/field.hpp>
#include <ctime>

namespace sessionlogd::test {
namespace http = boost::beast::http;

// A session without news for a month would not be read again. The same at midnight, too: else it were another session.
std::string yesterday() {
  static const std::time_t at = std::time(nullptr) - 24 * 3600;
  char date[16] = {};
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&at));
  return date;
}

std::size_t number_behind(std::string_view target, std::string_view name) {
  const std::size_t at = target.find(name);
  return at == target.npos ? 0 : std::strtoull(std::string(target.substr(at + name.size())).c_str(), nullptr, 10);
}

Appliance::Appliance(Instead instead)
    : instead_(std::move(instead)), server_([this](const Request& request) { return reply(request); }) {}

std::string Appliance::source(const std::string& name, const std::string& password) const {
  return fmt::format(
      "\n[[source]]\nname = \"{}\"\ndialect = \"veeam-aws\"\nurl = \"{}\"\nusername = \"collector\"\npassword = "
      "\"{}\"\n",
      name, server_.url(), password);
}

std::set<std::string> Appliance::issued() const {
  const std::scoped_lock lock(mutex_);
  return issued_;
}

std::set<std::string> Appliance::returned() const {
  const std::scoped_lock lock(mutex_);
  return returned_;
}

int Appliance::logs_read() const {
  const std::scoped_lock lock(mutex_);
  return logs_read_;
}

Appliance::Reply Appliance::reply(const Request& request) {
  if (auto other = instead_(request)) return *other;
  const std::scoped_lock lock(mutex_);
  std::string_view target = request.target();
  if (target.starts_with("http://")) target.remove_prefix(target.find('/', 7));  // through a proxy
  if (target == "/api/v1/token") return token(request);
  if (target.find("/log") != target.npos) {
    ++logs_read_;
    return response(fmt::format(
        R"({{"log":[{{"logTime":"{0}T00:00:01","status":"Success","message":"Processing","executionStartTime":"{0}T00:00:00"}}]}})",
        yesterday()));
  }
  return response(list(target));
}

Appliance::Reply Appliance::token(const Request& request) {
  if (request.method() == http::verb::delete_) {
    returned_.insert(std::string(request[http::field::authorization].substr(std::string_view("Bearer ").size())));
    return response("", {}, "204 No Content");
  }
  const std::string access = fmt::format("canary-access-{}", issued_.size());
  issued_.insert(access);
  return response(fmt::format(R"({{"access_token":"{}","refresh_token":"canary-refresh","expires_in":3600}})", access));
}

// Running sessions, so that they are read again and again.
std::string Appliance::list(std::string_view target) const {
  const int first = static_cast<int>(number_behind(target, "Offset="));
  std::string rows;
  for (int i = first; i < sessions; ++i) {
    rows +=
        fmt::format(R"({}{{"id":"session-{}","type":"Policy","status":"Running","executionStartTime":"{}T00:00:00"}})",
                    i == first ? "" : ",", i, yesterday());
  }
  return fmt::format(R"({{"results":[{}],"totalCount":{}}})", rows, sessions.load());
}

}  // namespace sessionlogd::test
