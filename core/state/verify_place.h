// How far verify has come with a source: it is durable, so that a restart goes on from there.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/timestamp.h"
#include "core/base/watched_time.h"

namespace sessionlogd {

struct VerifyTally {
  std::uint64_t of = 0;         // sessions that were to be read again
  std::uint64_t sessions = 0;   // that were, and were compared
  std::uint64_t late = 0;       // entries that had not been delivered
  std::uint64_t could_not = 0;  // sessions that could not be read, or not be compared

  bool operator==(const VerifyTally&) const = default;
};

struct VerifyPlace {
  std::optional<Watched> begun{};  // the round that goes on, or the last one
  bool goes_on = false;
  std::uint64_t key = 0;  // sessions up to this session_key were dealt with
  VerifyTally tally{};    // of the round that goes on

  // The round that ended last, and when by our clock.
  VerifyTally last{};
  std::optional<Instant> ended{};

  bool operator==(const VerifyPlace&) const = default;
};

}  // namespace sessionlogd
