// Content codings: gzip for honest responses, and bombs in all that clients commonly accept.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fleet {

std::string gzip(std::string_view text);

struct Bomb {
  std::string_view coding;  // as Content-Encoding names it
  std::shared_ptr<const std::string> body;
};

// 80 MiB of zeros in one of the codings the client accepts, chosen by `seed`; gzip if it accepts none. The first call
// makes the bombs of all codings, which takes a second or so.
const Bomb& bomb(std::string_view accept_encoding, std::uint64_t seed);

}  // namespace fleet
