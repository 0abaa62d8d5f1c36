// The logins of one appliance: access tokens with an end, refresh tokens which work once, logout that ends both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/random.h"
#include "bench/fleet/times.h"

namespace fleet {

class Tokens {
 public:
  struct Pair {
    std::string access, refresh;
    Nanos expires;
  };
  enum class Verdict { valid, expired, unknown };

  Tokens(std::uint64_t seed, Nanos lifetime) : random_(seed), lifetime_(lifetime) {}

  const Pair& issue(Nanos now);
  // A refresh token is used up by being tried; the access token it came with is void from then on. Null: unknown or
  // used before.
  const Pair* refresh(std::string_view refresh_token, Nanos now);
  Verdict check(std::string_view access_token, Nanos now) const;
  // False: no such token.
  bool revoke(std::string_view access_token);
  // Every token of ours is unknown from now on.
  void void_all() { pairs_.clear(); }
  // As if its time had come: what a restarted appliance does to its clients.
  void expire_all(Nanos now);

 private:
  Random random_;
  Nanos lifetime_;
  std::vector<Pair> pairs_;  // a handful: the daemon's, and those of its predecessors
};

}  // namespace fleet
