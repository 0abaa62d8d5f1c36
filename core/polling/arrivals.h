// Learns how the entries of a source's sessions follow each other, one type of sessions by itself, and says when so
// much is to be expected of a silent session that reading it is worth a request. Four views are kept, three of them a
// rate by bins of a silence:
//
//   by the silence itself            what bursts and phases look like: soon, or not for long
//   by the session's own mean gap    fast sessions and slow ones
//   by its last gap                  steps that repeat
//   by nothing                       entries without memory: of few of them bins would show what is not there
//
// A view counts as much as it foretold the gaps so far, those of the session above all, and the silence that goes on.
// Why a price: of entries without memory at a rate r, read each t seconds, the delay that gathers until a read is
// r t^2 / 2 and the mean age t / 2. To spend one read more or less costs each session the same only where that delay is
// the same for all; then t goes with 1 / sqrt(r), which is the least mean age for so many reads (Cho, Garcia-Molina).
//
// These see the silences before bursts of entries, of which most are bursts of one. Their rate says when the next burst
// comes, not how many entries it has (BurstSizes). Where they are k, all delay is k times as much, so it reaches the
// price where that of one reaches a k-th of it. When the next entry of a burst comes is a rate of its own, by bins of a
// silence, beside the views.
//
// Where an entry comes at a moment that is known, waiting behind it gains little: a session of which nearly one entry
// is expected within a moment is read right behind it, or behind a later one, wherever an entry costs least by then.
//
// Counts are decayed: what was so some thousand entries ago is forgotten. Knows nothing of clocks, requests or tables.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/polling/burst_sizes.h"

namespace sessionlogd {

// What chose the time of a session's next read.
enum class ReadChosenBy : std::uint8_t {
  kPrice,   // the delay reaches it then
  kMoment,  // an entry comes then
  kBound,   // neither before it
};

// What is kept of one session: its gaps, on a scale of logarithms, which view tells most of it, and what chose its next
// read.
class SessionArrivals {
 public:
  ReadChosenBy read_chosen_by() const { return static_cast<ReadChosenBy>(read_chosen_by_); }
  void set_read_chosen_by(ReadChosenBy chooser) { read_chosen_by_ = static_cast<std::uint8_t>(chooser) & 3; }

 private:
  friend class Arrivals;
  static constexpr std::size_t kBinned = 3;

  std::uint16_t mean_ = 0;                     // gap; valid once there is one
  std::uint16_t last_ : 12 = 0;                // gap; in coarser steps
  std::uint16_t gaps_ : 4 = 0;                 // saturates
  std::array<std::int8_t, kBinned> scores_{};  // eighths of a logarithm of likelihood, against that by nothing
  std::uint8_t burst_ : 6 = 0;                 // BurstSizes::Kept
  std::uint8_t read_chosen_by_ : 2 = 0;
};

class Arrivals {
 public:
  // Times are seconds.

  // What ended a silence.
  enum class EndedBy : std::uint8_t {
    kNothing,    // it goes on
    kBurst,      // by the first entry of one, or the only one
    kSameBurst,  // is_together() with the entry before
  };
  // After an entry the session was silent until `to`; until `from` that was learned already.
  void learn(SessionArrivals& session, double from, double to, EndedBy ended_by);

  // After such a silence a burst of so many entries came: is_together() of each gap between them. `dither` is that of
  // BurstSizes.
  void came_together(SessionArrivals& session, double silence, double count, double dither);
  static bool is_together(double gap, double silence) { return gap <= silence / kTogether; }

  // When the delay reaches the price that is to be expected of a session that was silent for so long and is read now,
  // or right behind an entry whose moment is known: so long from now, `most` at most. Delay is the sum of how long each
  // entry has waited; one that is `old` counts one and a half times, since the mean alone would leave the last entries
  // of heavy tails for very long.
  struct Read {
    double wait;
    ReadChosenBy chosen_by;
  };
  Read until(const SessionArrivals& session, double silent, double price, double most, double old = HUGE_VAL) const;

 private:
  static constexpr std::size_t kBinned = SessionArrivals::kBinned, kViews = kBinned + 1;
  static constexpr std::size_t kBins = 24;
  enum View { kSilence, kMean, kLast, kNothing, kWithinBurst };  // the last is beside the others
  using OfEach = std::array<double, kViews>;

  struct Bins {
    std::array<float, kBins> came{}, silent{};  // entries, and silence in units of the view
  };
  class Ahead;

  static const std::array<double, kBins>& edges_of(std::size_t view);
  static double edge(std::size_t view, std::size_t bin);
  static std::size_t bin_of(std::size_t view, double silence);
  static OfEach scores_of(const SessionArrivals& session);
  static OfEach units_of(const SessionArrivals& session);
  static std::size_t seen_by(const SessionArrivals& session, std::size_t view);
  double rate(std::size_t view, std::size_t bin) const;
  double expected(std::size_t view, double silence) const;
  double mean_gap(const SessionArrivals& session) const;
  double share_of_bursts(const SessionArrivals& session) const;
  double counts(const SessionArrivals& session, double silence) const;
  OfEach weights(const SessionArrivals& session, const OfEach& units, double silent) const;
  void score(SessionArrivals& session, const OfEach& units, double gap);
  static void note(Bins& bins, std::size_t view, double begin, double end, bool came);
  void note_gap(SessionArrivals& session, double gap);
  void decay();

  std::array<Bins, kBinned> views_{};
  Bins within_burst_{};
  OfEach scores_{0, 0, 0, kFirstLead};  // logarithm of likelihood of a gap, decayed
  double came_ = kFirstCame, silent_ = kFirstCame * kFirstGap;
  double mean_gap_ = kFirstGap;
  BurstSizes burst_sizes_;

  static constexpr double kFirstGap = 30, kFirstCame = 2;
  static constexpr double kTogether = 16;
  static constexpr double kFirstLead = 0.5;  // of kNothing: a memory is to be shown first
};

}  // namespace sessionlogd
