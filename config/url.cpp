#include "config/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "config/units.h"
#include "config/value_error.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kLettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-';
}

bool is_name(std::string_view host) {
  std::string_view last;
  for (std::string_view rest = host.substr(0, host.size() - (host.ends_with('.') ? 1 : 0)); !rest.empty();) {
    last = rest.substr(0, rest.find('.'));
    if (!is_label(last)) return false;
    rest.remove_prefix(std::min(last.size() + 1, rest.size()));
  }
  // What looks like an IPv4 address is one: no name ends in a number.
  if (last.find_first_not_of("0123456789") == last.npos) return is_ipv4(host);
  return !host.empty() && host.size() <= 253 && kLettersAndDigits.find(host.front()) != host.npos &&
         host.find_first_not_of(std::string(kLettersAndDigits) + "-_.") == host.npos && host.find("..") == host.npos;
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return lower;
}

std::string canonical_host(const std::string& host) {
  in6_addr six;
  if (inet_pton(AF_INET6, host.c_str(), &six) == 1) {
    char shortest[INET6_ADDRSTRLEN] = {};
    return "[" + std::string(inet_ntop(AF_INET6, &six, shortest, sizeof shortest)) + "]";
  }
  std::string name = in_lower_case(host);
  if (name.ends_with('.')) name.pop_back();
  return name;
}

[[noreturn]] void refuse(std::string_view text, std::string_view expected) {
  const bool may_hold_a_secret = text.find_first_of("@?") != text.npos;
  throw ValueError(may_hold_a_secret ? "a URL (not shown)" : in_quotes(text), expected);
}

}  // namespace

Url parse_url(std::string_view text) {
  constexpr std::string_view kExpected =
      R"(a URL like "https://10.0.0.5:11005": http or https, a host, a port or none)";
  Url url;
  url.encrypted = text.starts_with("https://");
  if (!url.encrypted && !text.starts_with("http://")) refuse(text, kExpected);

  const std::size_t start = text.find("//") + 2;
  std::string_view authority = text.substr(start, text.find_first_of("/?#", start) - start);
  const std::string_view rest = text.substr(start + authority.size());
  if (authority.find('@') != authority.npos) refuse(text, "a URL without user name and password");
  if (rest.find_first_of("?#") != rest.npos) refuse(text, "a URL without query and fragment");
  if (!rest.empty() && rest != "/") refuse(text, "a URL without a path");
  url.text = text.substr(0, start + authority.size());

  const bool bracketed = authority.starts_with('[');
  const std::size_t host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == authority.npos) refuse(text, "\"]\" after the IPv6 address");
  url.host = bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end);
  if (bracketed ? !is_ipv6(url.host) : !is_name(url.host)) {
    refuse(text, "a host name, an IPv4 address, or an IPv6 address in brackets");
  }
  authority.remove_prefix(bracketed ? host_end + 1 : url.host.size());
  if (!authority.empty() && !(authority.front() == ':' && is_port(authority.substr(1)))) {
    refuse(text, "a port from 1 to 65535 after the host");
  }
  if (!authority.empty()) url.port = authority.substr(1);
  return url;
}

bool is_ipv4(std::string_view host) {
  in_addr address;
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

bool is_ipv6(std::string_view host) {
  in6_addr address;
  return inet_pton(AF_INET6, std::string(host).c_str(), &address) == 1;
}

std::string canonical_url(std::string_view text) {
  const Url url = parse_url(text);
  const std::string own_port = url.encrypted ? "443" : "80";
  std::string canonical = (url.encrypted ? "https://" : "http://") + canonical_host(url.host);
  const std::string port = url.port.substr(std::min(url.port.find_first_not_of('0'), url.port.size()));
  if (!port.empty() && port != own_port) canonical += ":" + port;
  return canonical;
}

bool is_host(std::string_view host) { return is_name(host) || is_ipv6(host); }

bool is_loopback(std::string_view host) {
  std::string text = in_lower_case(host);
  if (text.ends_with('.')) text.pop_back();
  if (text == "localhost" || text.ends_with(".localhost")) return true;
  in_addr four;
  if (inet_pton(AF_INET, text.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six;
  return inet_pton(AF_INET6, text.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

}  // namespace sessionlogd
