#include "daemon/progress.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace sessionlogd {

std::string progress_bar(double part, std::size_t width) {
  const auto filled = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * static_cast<double>(width));
  std::string bar = "[" + std::string(filled, '=');
  if (filled < width) bar += '>';
  bar.resize(width + 1, ' ');
  return bar + "]";
}

bool Progress::is_wanted() { return isatty(STDERR_FILENO) == 1; }

Progress::Sums Progress::sum() const {
  Sums sums;
  for (const SourceSet::Source& source : sources_) {
    const SourceCounters& counters = *source.counters;
    sums.listed += counters.listed ? 1 : 0;
    sums.failing += counters.failing ? 1 : 0;
    sums.sessions += counters.sessions;
    sums.read += counters.read;
    const SourceCounts counts = counters.counts();
    sums.entries += counts[Counted::kEntries];
    for (const std::uint64_t events : counts.events()) sums.events += events;
  }
  return sums;
}

void Progress::show() {
  const Sums sums = sum();
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - started_).count();
  // Sources that are not listed yet have an unknown number of sessions: the listed ones stand for them.
  const double listed_part =
      static_cast<double>(sums.listed) / static_cast<double>(std::max<std::size_t>(sources_.size(), 1));
  const double read_part =
      sums.sessions == 0 ? 1.0 : static_cast<double>(sums.read) / static_cast<double>(sums.sessions);
  const double part = listed_part * read_part;
  const std::string eta = part > 0.01 ? fmt::format("{:.0f} s", seconds / part - seconds) : "-";
  fmt::print(stderr, "\r{} sources {}/{}  sessions {}/{}  entries {}  {:.0f}/s  ETA {} \033[K", progress_bar(part, 24),
             sums.listed, sources_.size(), sums.read, sums.sessions, sums.entries,
             static_cast<double>(sums.entries) / std::max(seconds, 0.001), eta);
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::finish() {
  const Sums sums = sum();
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - started_).count();
  fmt::print(stderr,
             "{}{} of {} sources listed, {} failing; {} of {} sessions read, {} entries, {} events in {:.1f} s\n",
             drawn_ ? "\r\033[K" : "", sums.listed, sources_.size(), sums.failing, sums.read, sums.sessions,
             sums.entries, sums.events, seconds);
}

}  // namespace sessionlogd
