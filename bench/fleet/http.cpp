#include "bench/fleet/http.h"

#include <algorithm>
#include <charconv>

namespace fleet {

namespace {

constexpr std::size_t kMaxHead = 64 * 1024;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// False: the value makes the request one we cannot read.
bool take_header(std::string_view name, std::string_view value, Request& request, std::size_t& body_size) {
  if (equal_ignoring_case(name, "authorization")) {
    request.authorization = value;
  } else if (equal_ignoring_case(name, "x-api-version")) {
    request.api_version = value;
  } else if (equal_ignoring_case(name, "accept-encoding")) {
    request.accept_encoding = value;
  } else if (equal_ignoring_case(name, "connection")) {
    request.keep_alive = !equal_ignoring_case(value, "close");
  } else if (equal_ignoring_case(name, "content-length")) {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), body_size);
    return error == std::errc{} && end == value.data() + value.size();
  } else if (equal_ignoring_case(name, "transfer-encoding")) {
    return false;
  }
  return true;
}

bool take_request_line(std::string_view line, Request& request) {
  const std::size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || last == first || !line.substr(last + 1).starts_with("HTTP/1.")) return false;
  request.method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = target.substr(0, mark);
  request.query = mark < target.size() ? target.substr(mark + 1) : std::string_view();
  return !request.path.empty();
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

Progress read_request(std::string_view text, Request& request, std::size_t& used) {
  const std::size_t head = text.find("\r\n\r\n");
  if (head == std::string_view::npos) return text.size() > kMaxHead ? Progress::malformed : Progress::incomplete;
  request = Request{};
  std::size_t body_size = 0;
  std::string_view lines = text.substr(0, head);
  for (bool first = true; !lines.empty(); first = false) {
    const std::size_t end = std::min(lines.find("\r\n"), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 2, lines.size()));
    if (first) {
      if (!take_request_line(line, request)) return Progress::malformed;
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return Progress::malformed;
    if (!take_header(line.substr(0, colon), trimmed(line.substr(colon + 1)), request, body_size))
      return Progress::malformed;
  }
  if (body_size > kMaxHead) return Progress::malformed;
  if (text.size() < head + 4 + body_size) return Progress::incomplete;
  request.body = text.substr(head + 4, body_size);
  used = head + 4 + body_size;
  return Progress::complete;
}

Parameters decode_parameters(std::string_view text) {
  Parameters parameters;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    parameters.emplace_back(decode(pair.substr(0, equals)), decode(pair.substr(std::min(equals + 1, pair.size()))));
  }
  return parameters;
}

std::optional<std::string_view> find(const Parameters& parameters, std::string_view key) {
  for (const auto& [name, value] : parameters) {
    if (equal_ignoring_case(name, key)) return value;
  }
  return std::nullopt;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Unknown";
  }
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace fleet
