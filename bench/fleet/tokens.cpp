#include "bench/fleet/tokens.h"

#include <fmt/format.h>

#include <algorithm>

namespace fleet {

namespace {
constexpr std::size_t kMostPairs = 64;
}

const Tokens::Pair& Tokens::issue(Nanos now) {
  if (pairs_.size() >= kMostPairs) pairs_.erase(pairs_.begin());
  const auto token = [this] {
    return fmt::format("{:016x}{:016x}{:016x}", random_.next(), random_.next(), random_.next());
  };
  std::string access = token();
  return pairs_.emplace_back(Pair{std::move(access), token(), now + lifetime_});
}

const Tokens::Pair* Tokens::refresh(std::string_view refresh_token, Nanos now) {
  const auto found =
      std::find_if(pairs_.begin(), pairs_.end(), [&](const Pair& p) { return p.refresh == refresh_token; });
  if (found == pairs_.end()) return nullptr;
  pairs_.erase(found);
  return &issue(now);
}

Tokens::Verdict Tokens::check(std::string_view access_token, Nanos now) const {
  const auto found =
      std::find_if(pairs_.begin(), pairs_.end(), [&](const Pair& p) { return p.access == access_token; });
  if (found == pairs_.end()) return Verdict::unknown;
  return now < found->expires ? Verdict::valid : Verdict::expired;
}

bool Tokens::revoke(std::string_view access_token) {
  return std::erase_if(pairs_, [&](const Pair& p) { return p.access == access_token; }) > 0;
}

void Tokens::expire_all(Nanos now) {
  for (Pair& pair : pairs_) pair.expires = std::min(pair.expires, now);
}

}  // namespace fleet
