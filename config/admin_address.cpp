#include "config/admin_address.h"

#include <sys/un.h>

#include "config/units.h"
#include "config/url.h"
#include "config/value_error.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kExpectedAddress =
    R"(a loopback address like "127.0.0.1:9464" or "[::1]:9464", a Unix socket like "unix:/run/sessionlogd/admin.sock", )"
    R"(or "" for none)";
constexpr std::string_view kUnix = "unix:";

AdminAddress parse_socket(std::string_view text) {
  const std::string_view path = text.substr(kUnix.size());
  if (!path.starts_with('/')) throw ValueError(in_quotes(text), "an absolute path after \"unix:\"");
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > kLongest)
    throw ValueError(in_quotes(text), "a path of at most " + std::to_string(kLongest) + " bytes after \"unix:\"");
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      throw ValueError(in_quotes(text), "a path without control characters after \"unix:\"");
  }
  return {.host = {}, .port = 0, .socket = std::string(path)};
}

}  // namespace

std::string AdminAddress::text() const {
  if (!socket.empty()) return std::string(kUnix) + socket;
  const bool is_ipv6 = host.find(':') != host.npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

AdminAddress parse_admin_address(std::string_view text) {
  if (text.starts_with(kUnix)) return parse_socket(text);
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon + 1 == text.size() || text.ends_with(']'))
    throw ValueError(in_quotes(text), kExpectedAddress);
  Url url;
  try {
    url = parse_url("http://" + std::string(text));
  } catch (const ValueError&) {
    throw ValueError(in_quotes(text), kExpectedAddress);
  }
  if (url.text != "http://" + std::string(text)) throw ValueError(in_quotes(text), kExpectedAddress);
  if (!is_loopback(url.host)) {
    throw ValueError(in_quotes(text), std::string(kExpectedAddress) +
                                          ": it is not encrypted and asks for no password, so what is to be read from "
                                          "elsewhere goes through a proxy that does both");
  }
  const bool is_name = url.host.find_first_not_of("0123456789.:abcdefABCDEF") != url.host.npos;
  if (is_name && url.host != "localhost") throw ValueError(in_quotes(text), kExpectedAddress);
  return {.host = is_name ? "127.0.0.1" : url.host,
          .port = static_cast<std::uint16_t>(std::stoul(std::string(text.substr(colon + 1)))),
          .socket = {}};
}

}  // namespace sessionlogd
