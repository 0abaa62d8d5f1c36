#include "tests/kafka/acl.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>

namespace sessionlogd::test {
namespace {

namespace asio = boost::asio;

// https://kafka.apache.org/protocol.html: CreateAcls and DeleteAcls, version 1, with a request header of version 1.
constexpr std::int16_t kCreateAcls = 30, kDeleteAcls = 31, kVersion = 1;
constexpr std::int8_t kAllow = 3;

void append(std::string& to, std::uint32_t number, int bytes) {
  while (bytes-- > 0) to += static_cast<char>(number >> (8 * bytes));
}

void append_text(std::string& to, const std::string& text) {
  append(to, static_cast<std::uint32_t>(text.size()), 2);
  to += text;
}

// One rule, or the filter that finds it: they are written alike.
std::string rule(const std::string& user, const Acl& acl) {
  std::string bytes;
  append(bytes, 1, 4);  // of them
  append(bytes, static_cast<std::uint32_t>(acl.kind), 1);
  append_text(bytes, acl.name);
  append(bytes, static_cast<std::uint32_t>(acl.matches), 1);
  append_text(bytes, user);
  append_text(bytes, "*");  // from any host
  append(bytes, static_cast<std::uint32_t>(acl.right), 1);
  append(bytes, kAllow, 1);
  return bytes;
}

void ask(const std::string& broker, std::int16_t what, const std::string& body) {
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
  // Size, correlation id, throttle time and the number of results, which is one; then that one's error code.
  std::string answer(18, '\0');
  asio::read(socket, asio::buffer(answer));
  if (answer[16] != 0 || answer[17] != 0)
    throw std::runtime_error("the broker refuses to change a rule: error " + std::to_string(answer[17]));
}

}  // namespace

void allow(const std::string& broker, const std::string& user, const Acl& acl) {
  ask(broker, kCreateAcls, rule(user, acl));
}

void withdraw(const std::string& broker, const std::string& user, const Acl& acl) {
  ask(broker, kDeleteAcls, rule(user, acl));
}

}  // namespace sessionlogd::test
