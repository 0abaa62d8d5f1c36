// The addresses a configuration may hold: scheme://host[:port], and nothing that could carry a secret or name a
// resource.
#pragma once

#include <string>
#include <string_view>

namespace sessionlogd {

struct Url {
  std::string text;  // scheme://host[:port], without a trailing slash
  std::string host;  // without brackets
  std::string port;  // "" = the scheme's own
  bool encrypted = false;
};

// http or https, a name or an address (IPv6 in brackets), a port or none, at most "/" as the path. Throws ValueError,
// which does not repeat a URL that holds "@" or "?": a password may stand there.
Url parse_url(std::string_view text);

// One spelling for all of an address that parse_url() takes: a host in lower case and without a dot at its end, IPv6 in
// its shortest form, no port where it is the scheme's own.
std::string canonical_url(std::string_view text);

// Letters, digits, "-", "_" and ".", or an IP address without brackets.
bool is_host(std::string_view host);

bool is_ipv4(std::string_view host);
bool is_ipv6(std::string_view host);  // without brackets

// Whether what is sent to this host stays on this machine.
bool is_loopback(std::string_view host);

}  // namespace sessionlogd
