// How the fleet was treated: the accounts of all appliances, and the worst of each kind. `reckon` prints it beside the
// verdict about the output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fleet {

struct Limits {
  std::optional<std::uint64_t> connections;
  std::optional<std::uint64_t> rate;  // a second

  // "connections=4,rate=20"; throws std::invalid_argument.
  static Limits read(std::string_view text);
};

class Politeness {
 public:
  // Throws std::runtime_error when the file is no ledger.
  static Politeness read(const std::string& ledger);

  // What was not right, for people; empty: all was. Requests within a Retry-After span and logins in a hurry are never
  // right. A rate of R allows 2 R in one second of the clock, what was saved up and what comes in during it; what is
  // above a bucket of R the appliances counted themselves, for the rate of the configuration they wrote. After a
  // restart the client's bucket is full again: then a rate is no limit to ask about.
  std::vector<std::string> violations(const Limits& limits) const;
  std::string to_table() const;

  // The first requests that were not right, each in words, in the order they came.
  std::vector<std::string> first_told() const;

 private:
  enum {
    kMostInFlight,
    kBusiestSecond,
    kAboveRate,
    kMostAhead,
    kInsideRetryAfter,
    kOnTheWire,
    kLatestOnTheWire,
    kHastyLogins,
    kBad,
    kRedirects,
    kLogins,
    kRefreshes,
    kMeasures
  };
  struct Field {
    const char* name;
    const char* meaning;
    bool is_maximum = false;  // of different appliances: they have no sum that means something
  };
  struct Measure {
    std::uint64_t worst = 0, sum = 0;
    std::string source;  // of the worst
  };
  static const Field kFields[kMeasures];

  Measure measures_[kMeasures];
  struct Told {
    std::string source, line;
  };
  std::vector<Told> told_;
};

}  // namespace fleet
