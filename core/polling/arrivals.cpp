#include "core/polling/arrivals.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sessionlogd {
namespace {

// Where the bins begin: around a gap that repeats they are narrow.
constexpr std::array<double, 24> kOfGap{0,    0.01, 0.03, 0.1, 0.2,  0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98,
                                        1.02, 1.05, 1.1,  1.2, 1.35, 1.6,  2,   3,    5,   10,  30,   100};

constexpr double kThoughtSeen = 0.5;    // entries a bin is thought to have seen at the usual rate
constexpr double kEntriesKept = 2'000;  // then all counts are halved
constexpr double kLeastGap = 0.05;
constexpr double kGapsOfMean = 12, kGapsOfType = 1;
constexpr int kMostGaps = 15;
// Entries that are expected of a silence in one bin, at most: where all came at its beginning there was no silence in
// it.
constexpr double kMostOfABin = 3;
// The moment of the next entry is known when nine tenths of one are expected within so much of the silence before. Of
// more entries than these it is not asked for.
constexpr double kComes = 0.9, kMoment = 0.15;
constexpr int kMostKnown = 4;
constexpr double kMostAims = 2;                // that the first of several waits, as long as where none keep time
constexpr double kForgets = 0.85;              // of a session's scores, a gap
constexpr double kScoreDecays = 64;            // gaps, of a type's scores
constexpr double kTypeCounts = 8;              // as so many gaps of the session
constexpr double kNoWeight = 1e-4;             // such a view is not looked at
constexpr double kScale = 2'048, kOffset = 8;  // of a gap's logarithm
constexpr unsigned kCoarse = 16;               // so many steps of it are one of a unit
constexpr double kCounts = 8;                  // a silence counts in full from an eighth of the mean gap on
constexpr double kMostShare = 2;

double gap_of(unsigned kept) { return std::exp2(kept / kScale - kOffset); }
unsigned kept_of(double gap) {
  return static_cast<unsigned>(std::clamp((std::log2(gap) + kOffset) * kScale, 0.0, 65'535.0));
}

// What is to be expected of a session since it was read.
struct Gathered {
  double entries = 0, delay = 0, cost = 0;

  // So much later, at one rate.
  Gathered after(double span, double rate, double old) const {
    const double waited = span * (entries + rate * span / 2);
    const double as_old = span * (delay + span * (entries / 2 + rate * span / 6)) / old;
    return {entries + rate * span, delay + waited, cost + waited + as_old};
  }

  // When the cost is the price, which it is within `most`. It would be later if old ages cost no more, and if nothing
  // else did; from there Newton's steps come down to it, since the cost is convex.
  double until(double price, double rate, double old, double most) const {
    const double left = price - cost;
    double span = std::min({most, 2 * left / (entries + std::sqrt(entries * entries + 2 * rate * left)),
                            std::cbrt(6 * left * old / rate)});
    for (int step = 0; step < 3; ++step) {
      const Gathered then = after(span, rate, old);
      span -= (then.cost - price) / (then.entries + then.delay / old);
    }
    return span;
  }
};

}  // namespace

const std::array<double, Arrivals::kBins>& Arrivals::edges_of(std::size_t view) {
  return view == kSilence || view == kWithinBurst ? kBinsOfSilence : kOfGap;
}

double Arrivals::edge(std::size_t view, std::size_t bin) {
  const std::size_t bins = view == kNothing ? 1 : kBins;
  return bin >= bins ? HUGE_VAL : edges_of(view)[bin];
}

std::size_t Arrivals::bin_of(std::size_t view, double silence) {
  return view == kNothing ? 0 : sessionlogd::bin_of(edges_of(view), silence);
}

Arrivals::OfEach Arrivals::scores_of(const SessionArrivals& session) {
  OfEach scores{};
  for (std::size_t view = 0; view < kBinned; ++view) scores[view] = session.scores_[view] / 8.0;
  return scores;
}

Arrivals::OfEach Arrivals::units_of(const SessionArrivals& session) {
  if (session.gaps_ == 0) return {1, 1, 1, 1};
  // Both as coarse, so that their bins end together where gaps are equal.
  const auto unit = [](unsigned coarse) { return gap_of(coarse * kCoarse + kCoarse / 2); };
  return {1, unit(session.mean_ / kCoarse), unit(session.last_), 1};
}

// Without a gap there is nothing to see in the views of gaps.
std::size_t Arrivals::seen_by(const SessionArrivals& session, std::size_t view) {
  if (session.gaps_ == 0 && (view == kMean || view == kLast)) return kNothing;
  return view;
}

// Of one unit of the view.
double Arrivals::rate(std::size_t view, std::size_t bin) const {
  if (view == kNothing) return came_ / silent_;
  const bool last = bin + 1 == kBins;
  const double width = last ? edge(view, bin) : edge(view, bin + 1) - edge(view, bin);
  double came = 0, silent = 0;
  if (view == kWithinBurst) {
    came = within_burst_.came[bin];
    silent = within_burst_.silent[bin] + kThoughtSeen * width;
  } else {
    came = views_[view].came[bin] + kThoughtSeen;
    silent = views_[view].silent[bin] + (view == kSilence ? kThoughtSeen * silent_ / came_ : kThoughtSeen);
  }
  return last ? came / silent : std::min(came / silent, kMostOfABin / width);
}

// Within a silence of so many units.
double Arrivals::expected(std::size_t view, double silence) const {
  if (view == kNothing) return rate(view, 0) * silence;
  double sum = 0;
  for (std::size_t bin = 0; bin < kBins && edge(view, bin) < silence; ++bin)
    sum += rate(view, bin) * (std::min(silence, edge(view, bin + 1)) - edge(view, bin));
  return sum;
}

Arrivals::OfEach Arrivals::weights(const SessionArrivals& session, const OfEach& units, double silent) const {
  OfEach weights = scores_of(session);
  for (std::size_t view = 0; view < kViews; ++view) {
    weights[view] += kTypeCounts * scores_[view] - expected(view, silent / units[view]);
    if (seen_by(session, view) != view) weights[view] = -HUGE_VAL;
  }
  const double best = *std::ranges::max_element(weights);
  double sum = 0;
  for (double& weight : weights) sum += weight = std::exp(weight - best);
  for (double& weight : weights) weight /= sum;
  return weights;
}

void Arrivals::learn(SessionArrivals& session, double from, double to, EndedBy ended_by) {
  const bool came = ended_by == EndedBy::kBurst, goes_on = ended_by == EndedBy::kSameBurst;
  to = std::max(to, came || goes_on ? kLeastGap : 0);
  note(within_burst_, kWithinBurst, from, to, goes_on);
  if (goes_on) return;
  const OfEach units = units_of(session);
  if (came) score(session, units, to);
  for (std::size_t view = 0; view < kBinned; ++view)
    if (seen_by(session, view) == view) note(views_[view], view, from / units[view], to / units[view], came);
  silent_ += std::max(0.0, to - from);
  if (!came) return;
  note_gap(session, to);
  if (++came_ > kEntriesKept) decay();
}

void Arrivals::note(Bins& bins, std::size_t view, double begin, double end, bool came) {
  for (std::size_t bin = bin_of(view, begin); bin < kBins && edge(view, bin) < end; ++bin) {
    bins.silent[bin] +=
        static_cast<float>(std::max(0.0, std::min(end, edge(view, bin + 1)) - std::max(begin, edge(view, bin))));
  }
  if (came) ++bins.came[bin_of(view, end)];
}

void Arrivals::score(SessionArrivals& session, const OfEach& units, double gap) {
  OfEach sum = scores_of(session);
  for (std::size_t view = 0; view < kViews; ++view) {
    const std::size_t by = seen_by(session, view);
    const double in_units = gap / units[view];
    const double likelihood =
        std::log(std::min(rate(by, bin_of(by, in_units)) / units[view], 1 / kLeastGap)) - expected(by, in_units);
    scores_[view] += (std::max(likelihood, -20.0) - scores_[view]) / kScoreDecays;
    sum[view] = kForgets * sum[view] + likelihood;
  }
  for (std::size_t view = 0; view < kBinned; ++view)
    session.scores_[view] = static_cast<std::int8_t>(std::clamp(8 * (sum[view] - sum[kNothing]), -127.0, 127.0));
}

void Arrivals::note_gap(SessionArrivals& session, double gap) {
  const double before = mean_gap(session);
  session.gaps_ = static_cast<std::uint8_t>(std::min(session.gaps_ + 1, kMostGaps)) & kMostGaps;
  session.mean_ = static_cast<std::uint16_t>(
      kept_of(before + (gap - before) / (std::min<double>(session.gaps_, kGapsOfMean) + kGapsOfType)));
  session.last_ = kept_of(gap) / kCoarse & 0xfff;
  mean_gap_ += (gap - mean_gap_) / std::min(came_, kEntriesKept);
}

// Until a session has shown its own, those of its type.
double Arrivals::mean_gap(const SessionArrivals& session) const {
  return session.gaps_ == 0 ? mean_gap_ : gap_of(session.mean_);
}

// How often, beside the type's sessions, an entry of this one is followed by another of the same burst.
double Arrivals::share_of_bursts(const SessionArrivals& session) const {
  if (session.burst_ == 0 || burst_sizes_.mean() <= 1) return 1;
  return std::min(kMostShare, (1 - 1 / burst_sizes_.expected(session.burst_, 0)) / (1 - 1 / burst_sizes_.mean()));
}

// What a silence tells of how many come behind it, 0 to 1: within a burst, of which reads show parts, none does. From
// an eighth of the mean gap on it counts in full.
double Arrivals::counts(const SessionArrivals& session, double silence) const {
  return std::clamp(kTogether * silence / mean_gap(session) - 1, 0.0, 1.0);
}

void Arrivals::came_together(SessionArrivals& session, double silence, double count, double dither) {
  const double counted = counts(session, silence);
  if (counted > 0) session.burst_ = burst_sizes_.learn(session.burst_, silence, count, counted, dither) & 0x3f;
}

void Arrivals::decay() {
  came_ /= 2;
  silent_ /= 2;
  const auto halve = [](Bins& bins) {
    for (float& count : bins.came) count /= 2;
    for (float& count : bins.silent) count /= 2;
  };
  std::ranges::for_each(views_, halve);
  halve(within_burst_);
}

// What is to be expected of a session from now on: at one rate until a bin of some view ends.
class Arrivals::Ahead {
 public:
  Ahead(const Arrivals& arrivals, const SessionArrivals& session, double silent, double share_of_bursts)
      : arrivals_(arrivals),
        units_(units_of(session)),
        weights_(arrivals.weights(session, units_, silent)),
        share_of_bursts_(share_of_bursts),
        silent_(silent) {
    find_bins();
  }

  // An entry comes then, so long from now, and the next one after it.
  void entry_comes(double at) {
    silent_ = -at;
    at_ = at;
    find_bins();
  }
  // So far on, at most to end().
  void go_to(double at) {
    at_ = at;
    for (std::size_t view = 0; view < kAll; ++view)
      if (ends_[view] <= at) enter(view, bins_[view] + 1);
  }

  double at() const { return at_; }
  double silent() const { return silent_ + at_; }  // then
  double rate() const { return std::accumulate(rates_.begin(), rates_.end(), 0.0); }
  double end() const { return std::max(at_, *std::ranges::min_element(ends_)); }

 private:
  static constexpr std::size_t kAll = kViews + 1;

  void enter(std::size_t view, std::size_t bin) {
    bins_[view] = bin;
    if (view == kWithinBurst) {
      ends_[view] = edge(view, bin + 1) - silent_;
      rates_[view] = share_of_bursts_ * arrivals_.rate(view, bin);
      return;
    }
    if (weights_[view] < kNoWeight) return;
    ends_[view] = edge(view, bin + 1) * units_[view] - silent_;
    rates_[view] = weights_[view] * arrivals_.rate(view, bin) / units_[view];
  }
  void find_bins() {
    for (std::size_t view = 0; view < kViews; ++view) enter(view, bin_of(view, silent() / units_[view]));
    enter(kWithinBurst, bin_of(kWithinBurst, silent()));
  }

  const Arrivals& arrivals_;
  const OfEach units_, weights_;
  const double share_of_bursts_;
  double silent_, at_ = 0;  // before now, and from now on
  std::array<std::size_t, kAll> bins_{};
  std::array<double, kAll> ends_{HUGE_VAL, HUGE_VAL, HUGE_VAL, HUGE_VAL, HUGE_VAL}, rates_{};  // of those bins
};

Arrivals::Read Arrivals::until(const SessionArrivals& session, double silent, double price, double most,
                               double old) const {
  const double each = burst_sizes_.expected(session.burst_, silent);
  price /= each;
  Ahead ahead(*this, session, silent, share_of_bursts(session) / each);
  Gathered gathered;
  Read best{most, ReadChosenBy::kBound};
  double best_cost = HUGE_VAL;  // what an entry costs then
  double first = 0;             // when the first comes whose moment is known
  double begins_to_come = -1;   // the next entry
  int number = 1;               // of it
  bool is_known = false;        // the moment at which the last one came
  const auto at_least_cost = [&](double wait, const Gathered& then, ReadChosenBy chooser) {
    return (price + then.cost) / then.entries < best_cost ? Read{wait, chooser} : best;
  };
  while (ahead.at() < most) {
    const double at = ahead.at(), rate = ahead.rate(), left = number - gathered.entries;
    const double end = std::min(most, ahead.end());
    double span = end - at;
    if (begins_to_come < 0 && span * rate >= left - kComes) begins_to_come = at + std::max(0.0, (left - kComes) / rate);
    const bool comes = number <= kMostKnown && span * rate >= left;
    if (comes) span = left / rate;
    const Gathered then = gathered.after(span, rate, old);
    if (!is_known && then.cost >= price) {
      const double wait = gathered.cost >= price ? 0 : gathered.until(price, rate, old, span);
      return at_least_cost(at + wait, gathered.after(wait, rate, old), ReadChosenBy::kPrice);
    }
    gathered = then;
    ahead.go_to(comes ? at + span : end);
    if (!comes) continue;
    is_known = number < kMostKnown && ahead.at() - begins_to_come <= kMoment * ahead.silent();
    ++number;
    begins_to_come = -1;
    if (!is_known) continue;
    if (best_cost == HUGE_VAL) first = ahead.at();
    const double cost = (price + gathered.cost) / gathered.entries;
    if (cost >= best_cost || ahead.at() - first > kMostAims * old) return best;
    best = {ahead.at(), ReadChosenBy::kMoment};
    best_cost = cost;
    ahead.entry_comes(ahead.at());
  }
  return at_least_cost(most, gathered, ReadChosenBy::kBound);
}

}  // namespace sessionlogd
