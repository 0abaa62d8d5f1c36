// The progress of one pass over the fleet: a bar on a terminal, a summary at the end.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "daemon/control/source_set.h"

namespace sessionlogd {

class Progress {
 public:
  // They must outlive this.
  explicit Progress(const std::vector<SourceSet::Source>& sources) : sources_(sources) {}

  // Whether stderr is a terminal.
  static bool is_wanted();

  // Draws the line anew.
  void show();

  // Ends the line and says what was done.
  void finish();

 private:
  struct Sums {
    std::size_t listed = 0, failing = 0;
    std::uint64_t sessions = 0, read = 0, entries = 0, events = 0;
  };
  Sums sum() const;

  const std::vector<SourceSet::Source>& sources_;
  SteadyTime started_ = SteadyClock::now();
  bool drawn_ = false;
};

// "[=====>    ]" of `width` characters between the brackets.
std::string progress_bar(double part, std::size_t width);

}  // namespace sessionlogd
