// The little of HTTP/1.1 that an appliance needs: one request at a time, bodies with a Content-Length. Written by hand
// because it has to be several times faster than the daemon it measures.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/fleet/times.h"
#include "bench/fleet/visits.h"

namespace fleet {

// Views point into the text it was read from.
struct Request {
  std::string_view method;
  std::string_view path;   // without the query
  std::string_view query;  // without the question mark
  std::string_view authorization;
  std::string_view api_version;
  std::string_view accept_encoding;
  std::string_view body;
  bool keep_alive = true;
  Nanos arrived = 0;         // its first byte
  std::uint64_t number = 1;  // of those on its connection
  std::uint16_t from_port = 0, to_port = 0;
  Visitor visitor = {};
};

enum class Progress { incomplete, complete, malformed };

// Reads one request from the start of `text`; `used` is how many bytes of it the request took.
Progress read_request(std::string_view text, Request& request, std::size_t& used);

// Decodes "a=b&c=d%20e" (also form bodies); keys keep their order and may repeat.
using Parameters = std::vector<std::pair<std::string, std::string>>;
Parameters decode_parameters(std::string_view text);
std::optional<std::string_view> find(const Parameters& parameters, std::string_view key);

std::string_view reason_phrase(int status);

bool equal_ignoring_case(std::string_view a, std::string_view b);

}  // namespace fleet
