#include "tests/kafka/acl.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>

#include "tests/daemon/child.h"

namespace sessionlogd::test {
namespace {

namespace asio = boost::asio;

// https://kafka.apache.org/protocol.html: version 1 of each, with a request header of version 1.
constexpr std::int16_t kDescribeAcls = 29, kCreateAcls = 30, kDeleteAcls = 31, kVersion = 1;
constexpr std::int8_t kAllow = 3;

void append(std::string& to, std::uint32_t number, int bytes) {
  while (bytes-- > 0) to += static_cast<char>(number >> (8 * bytes));
}

void append_text(std::string& to, const std::string& text) {
  append(to, static_cast<std::uint32_t>(text.size()), 2);
  to += text;
}

std::uint32_t number_at(const std::string& bytes, std::size_t at, int size) {
  std::uint32_t number = 0;
  for (std::size_t end = at + static_cast<std::size_t>(size); at < end; ++at)
    number = number << 8 | static_cast<unsigned char>(bytes.at(at));
  return number;
}

// One rule, or the filter that finds it: they are written alike.
std::string rule(const std::string& user, const Acl& acl) {
  std::string bytes;
  append(bytes, static_cast<std::uint32_t>(acl.kind), 1);
  append_text(bytes, acl.name);
  append(bytes, static_cast<std::uint32_t>(acl.matches), 1);
  append_text(bytes, user);
  append_text(bytes, "*");  // from any host
  append(bytes, static_cast<std::uint32_t>(acl.right), 1);
  append(bytes, kAllow, 1);
  return bytes;
}

// The answer behind its size, correlation id and throttle time.
std::string ask(const std::string& broker, std::int16_t what, const std::string& body) {
  std::string request;
  append(request, static_cast<std::uint32_t>(what), 2);
  append(request, kVersion, 2);
  append(request, 0, 4);  // correlation id
  append_text(request, "acl");
  request += body;
  std::string framed;
  append(framed, static_cast<std::uint32_t>(request.size()), 4);
  framed += request;

  asio::io_context io;
  asio::ip::tcp::socket socket(io);
  const auto port = static_cast<unsigned short>(std::stoi(broker.substr(broker.rfind(':') + 1)));
  socket.connect({asio::ip::address_v4::loopback(), port});
  asio::write(socket, asio::buffer(framed));
  std::string answer(4, '\0');
  asio::read(socket, asio::buffer(answer));
  answer.resize(number_at(answer, 0, 4));
  asio::read(socket, asio::buffer(answer));
  return answer.substr(8);
}

// One rule comes or goes. The answer: the number of results, which is one, then that one's error code.
void change(const std::string& broker, std::int16_t what, const std::string& of) {
  std::string body;
  append(body, 1, 4);
  const std::uint32_t error = number_at(ask(broker, what, body + of), 4, 2);
  if (error != 0) throw std::runtime_error("the broker refuses to change a rule: error " + std::to_string(error));
}

// Whether the broker goes by that rule. The answer: error code, a text about it, which is empty or left out (-1 bytes)
// without an error, and the number of resources that have such rules.
bool has(const std::string& broker, const std::string& filter) {
  const std::string answer = ask(broker, kDescribeAcls, filter);
  const std::uint32_t error = number_at(answer, 0, 2);
  if (error != 0) throw std::runtime_error("the broker does not tell its rules: error " + std::to_string(error));
  return number_at(answer, 4, 4) > 0;
}

// What the controller has changed, the broker learns a moment later.
void wait_until(const std::function<bool()>& is_known) {
  if (!eventually(is_known)) throw std::runtime_error("the broker does not learn of a rule's change");
}

}  // namespace

void allow(const std::string& broker, const std::string& user, const Acl& acl) {
  change(broker, kCreateAcls, rule(user, acl));
  wait_until([&] { return has(broker, rule(user, acl)); });
}

void withdraw(const std::string& broker, const std::string& user, const Acl& acl) {
  change(broker, kDeleteAcls, rule(user, acl));
  wait_until([&] { return !has(broker, rule(user, acl)); });
}

}  // namespace sessionlogd::test
