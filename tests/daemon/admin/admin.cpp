#include "tests/daemon/admin/admin.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace sessionlogd::test {

namespace asio = boost::asio;

namespace {

template <class Socket>
std::string ask_at(const typename Socket::endpoint_type& there, std::string_view bytes) {
  asio::io_context io;
  Socket socket(io);
  boost::system::error_code failed;
  socket.connect(there, failed);
  if (failed) return {};
  asio::write(socket, asio::buffer(bytes), failed);
  std::string response;
  asio::read(socket, asio::dynamic_buffer(response), failed);
  return response;
}

}  // namespace

void open_admin_address(const Workplace& place) {
  place.edit_config("admin = \"\"", fmt::format("admin = \"unix:{}\"", (place / kAdminSocket).string()));
}

HeldPort open_admin_port(const Workplace& place) {
  HeldPort port;
  place.edit_config("admin = \"\"", fmt::format("admin = \"127.0.0.1:{}\"", port.number()));
  return port;
}

std::string ask(const Workplace& place, std::string_view bytes) {
  return ask_at<asio::local::stream_protocol::socket>((place / kAdminSocket).string(), bytes);
}

std::string ask_port(unsigned short port, std::string_view bytes) {
  return ask_at<asio::ip::tcp::socket>({asio::ip::address_v4::loopback(), port}, bytes);
}

std::string get(const Workplace& place, std::string_view path) {
  return ask(place, fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path));
}

std::string get_body(const Workplace& place, std::string_view path) {
  const std::string response = get(place, path);
  const std::size_t head = response.find("\r\n\r\n");
  return head == std::string::npos ? std::string() : response.substr(head + 4);
}

Samples samples_of(const std::string& metrics) {
  Samples samples;
  for (const std::string& line : Workplace::lines_of(metrics)) {
    const std::size_t space = line.rfind(' ');
    if (line.starts_with('#') || space == std::string::npos) continue;
    samples[line.substr(0, space)] = std::stod(line.substr(space + 1));
  }
  return samples;
}

double sum_of(const Samples& samples, std::string_view name, std::string_view label) {
  double sum = 0;
  for (const auto& [key, value] : samples) {
    const bool named = key.starts_with(name) && (key.size() == name.size() || key[name.size()] == '{');
    if (named && key.find(label) != std::string::npos) sum += value;
  }
  return sum;
}

}  // namespace sessionlogd::test
