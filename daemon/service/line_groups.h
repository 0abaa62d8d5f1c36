// One line for many: when a resolver is down, our own clock is wrong or a rack has lost its power, a thousand sources
// say the same within a moment. The first few are said as they are, the rest as one line with their number.
//
//   10 s from the first:  a: cannot resolve ...   b: cannot resolve ...   ... (997 are held)   ─▶   "997 more sources:
//   ..."
//
// Two lines say the same when they differ in names, addresses and numbers only. Knows no clock and no log.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/base/clock.h"

namespace sessionlogd {

class LineGroups {
 public:
  static constexpr std::chrono::seconds kWindow{10};
  static constexpr std::size_t kSaidAlone = 5;  // sources, of each group
  static constexpr std::size_t kMostGroups = 100;

  // A line about a source; whether it is to be written. A source that speaks for the second time within the window is
  // heard as long as few others are.
  bool may_pass(int level, std::string_view source, std::string_view text, SteadyTime now);

  struct Line {
    int level;
    std::string text;
  };
  // What stands for the lines that were held in windows that have ended by `now`.
  std::vector<Line> take_ended(SteadyTime now);

 private:
  struct Group {
    SteadyTime since{};
    int level = 0;
    std::string first;                        // what its first line said, without the source
    std::unordered_set<std::size_t> sources;  // that said it, by hash
    std::size_t held = 0;
  };

  std::map<std::string, Group> groups_;  // by what their lines have in common
};

// What lines that say the same have in common: words with a digit, a dot, a colon or a slash within them are names,
// addresses or numbers. HTTP's status counts: 401 and 503 are two faults.
std::string common_part(std::string_view text);

}  // namespace sessionlogd
