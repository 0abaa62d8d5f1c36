// Where the daemon tells how it is doing: a loopback address, so that nobody reads it over a network without somebody
// having put a proxy there on purpose, or a Unix socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sessionlogd {

struct AdminAddress {
  std::string host = "127.0.0.1";  // an IP address without brackets
  std::uint16_t port = 9464;
  std::string socket{};  // a path: instead of both

  // As it stands in the configuration.
  std::string text() const;

  bool operator==(const AdminAddress&) const = default;
};

// "127.0.0.1:9464", "[::1]:9464", "localhost:9464" or "unix:/path". Throws ValueError.
AdminAddress parse_admin_address(std::string_view text);

}  // namespace sessionlogd
