// Who came to an appliance, when and for what: what it takes to judge several clients that share a fleet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/times.h"

namespace fleet {

// By IPv4 addresses. Clients of one machine all come from 127.0.0.1: they are told apart by the address that they call.
struct Visitor {
  std::uint32_t from = 0, to = 0;

  // "10.0.0.2": where it came from; of a client on loopback, what it called.
  std::string name() const;
};

struct Visit {
  enum Kind : std::uint8_t { kRequest, kLogin, kLogout };  // a login is one with a password

  Nanos at = 0;  // its first byte
  Visitor by;
  Kind kind = kRequest;
};

// One JSON object a line: {"at":ns,"source":"aws-0001","by":"127.0.1.2","kind":"request"}
std::string visit_lines(std::string_view source, const std::vector<Visit>& visits);

std::string_view name_of(Visit::Kind kind);

}  // namespace fleet
