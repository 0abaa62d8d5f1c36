// How several clients shared the fleet, by its own count of who came when. `fleet_sim sharing` prints it.
//
// Who owns a source nobody tells the fleet. A client that is not the owner shows by coming in between: its request lies
// between two of another one that are at most kTurn apart. A source that moves and comes back takes longer. A logout is
// no sign: who gave a source up may log out after the next one has begun.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fleet/times.h"

namespace fleet {

// When something was done to a client.
struct Moment {
  std::string who;
  Nanos at = 0;

  // "127.0.1.2@1790000000000000000", of the system's clock; throws std::invalid_argument.
  static Moment read(std::string_view text);
};

struct SharingLimits {
  std::optional<std::uint64_t> rate;     // a second; twice as much may come in one second of the clock
  std::optional<std::uint64_t> members;  // so many logins may come in 30 s
  std::vector<Moment> thaws;             // went on after it had stood still: must not come in between from kThawed on
  std::vector<Moment> starts;            // after a stop in good order: the first login of a source then does not count
};

class Sharing {
 public:
  static constexpr Nanos kTurn = 2 * kSecond;
  static constexpr Nanos kThawed = 3 * kSecond, kThawIsOver = 10 * kSecond;  // after it went on

  enum class Kind { request, login, logout };

  // Throws std::runtime_error when the file is not what visit_lines() writes.
  static Sharing read(const std::string& visits);

  // In any order.
  void add(const std::string& source, const std::string& who, Nanos at, Kind kind);

  // What was not right, for people; empty: all was.
  std::vector<std::string> violations(const SharingLimits& limits) const;
  std::string to_table() const;

 private:
  struct Came {
    Nanos at;
    std::string who;
    Kind kind;
  };
  using Visits = std::vector<Came>;  // of one source
  struct Worst {
    std::uint64_t count = 0;
    std::string source;
    Nanos at = 0;
  };

  Visits in_order(const Visits& visits) const;
  static std::vector<Came> in_between(const Visits& visits);
  // The most that came within a span; of whole seconds of the clock, or any.
  Worst busiest_second() const;
  Worst most_logins(Nanos within, const std::vector<Moment>& starts) const;

  std::map<std::string, Visits> visits_;  // by source
};

}  // namespace fleet
