// The last warnings and errors of the daemon's own log, kept for the page.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/base/timestamp.h"

namespace sessionlogd {

struct Trouble {
  Instant at;
  std::string level;  // "warning" or "error"
  std::string text;   // cut where it is long
};

class RecentTrouble {
 public:
  static constexpr std::size_t kMost = 50;
  static constexpr std::size_t kLongestText = 1000;

  // Listens to the default logger, from before other threads log until after they have ended.
  RecentTrouble();
  ~RecentTrouble();

  // Any thread; the latest first.
  std::vector<Trouble> latest() const;

 private:
  class Sink;
  std::shared_ptr<Sink> sink_;
};

}  // namespace sessionlogd
