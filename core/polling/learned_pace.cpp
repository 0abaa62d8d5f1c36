#include "core/polling/learned_pace.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "config/units.h"

namespace sessionlogd {
namespace {

using std::chrono::milliseconds;
using EndedBy = Arrivals::EndedBy;
using Seconds = std::chrono::duration<double>;

constexpr double kStampsInASecond = 128;  // so differences are right for half a year
constexpr std::size_t kMostTypes = 64;    // a source may make them up; the others share one
constexpr std::size_t kMostOfARead = 32;  // gaps that are learned from, beside the first: its last ones
constexpr milliseconds kOldest = std::chrono::hours{24 * 30};
constexpr unsigned kMostFirstAges = 8;
constexpr milliseconds kClocksDiffer{2'000};  // a Date has full seconds, and a response takes its time
constexpr milliseconds kLateRead{1'000};
constexpr double kReached = 1.2, kManyLate = 0.1, kAtBound = 1.2;
constexpr double kUsualMoves = 1.0 / 16, kFirstsMove = 1.0 / 16;
// An entry as old as the aim counts one and a half times. Of entries without memory, read each two aims, the delay
// costs so much more than its seconds, which are the price.
constexpr double kOldAgesCost = 1 + 2.0 / 3;

double in_seconds(milliseconds span) { return Seconds(span).count(); }
double in_seconds(Instant at) { return static_cast<double>(at.seconds) + at.nanos / 1e9; }

}  // namespace

LearnedPace::LearnedPace(const PollSettings& settings, SteadyTime begin)
    : settings_(settings),
      begin_(begin),
      price_(in_seconds(settings.aimed_age())),
      usual_(in_seconds(settings.interval)) {}

// Never 0, which stands for none.
std::uint32_t LearnedPace::stamp(SteadyTime at) const {
  return static_cast<std::uint32_t>(static_cast<std::int64_t>(Seconds(at - begin_).count() * kStampsInASecond)) | 1u;
}

double LearnedPace::seconds_between(std::uint32_t from, std::uint32_t to) {
  return std::max(0.0, static_cast<std::int32_t>(to - from) / kStampsInASecond);
}

Arrivals& LearnedPace::of(std::string_view type) {
  if (const auto known = types_.find(type); known != types_.end()) return known->second;
  return types_[types_.size() < kMostTypes ? std::string(type) : std::string()];
}

void LearnedPace::came(SessionPace& session, std::string_view type, SteadyTime now,
                       std::span<const milliseconds> ages) {
  if (!learns() || ages.empty()) return;
  if (!was_held_up(session, now, ages)) note_ages(session, now, ages);
  session.arrivals_.set_read_chosen_by(ReadChosenBy::kPrice);
  Arrivals& arrivals = of(type);
  const std::size_t last = ages.size() - std::min(ages.size(), kMostOfARead);
  std::uint32_t earliest = session.read_at_;
  // Another one each time: always in the middle, what names no time of use would seem to keep time with the reads.
  const double part = std::fmod(stamp(now) * std::numbers::phi, 1);
  double silence = 0;  // before the entries that came together
  unsigned together = 0;
  const auto learn_together = [&] {
    if (session.read_at_ != 0 && together > 0) arrivals.came_together(session.arrivals_, silence, together, part);
  };
  for (std::size_t i = 0; i < ages.size(); ++i) {
    std::uint32_t at = stamp(now - std::clamp(likely_age(session, now, ages, i, part), milliseconds{0}, kOldest));
    if (earliest != 0 && seconds_between(at, earliest) > 0) at = earliest;
    earliest = at;
    const double gap = session.entry_at_ == 0 ? 0 : seconds_between(session.entry_at_, at);
    const bool goes_on = i > 0 && Arrivals::is_together(gap, silence);
    if (goes_on) {
      ++together;
    } else {
      learn_together();
      silence = gap;
      together = 1;
    }
    if (session.entry_at_ != 0 && (i == 0 || i >= last))
      learn(arrivals, session, at, goes_on ? EndedBy::kSameBurst : EndedBy::kBurst);
    session.entry_at_ = at;
  }
  learn_together();
}

// What was silent until it was read last is known already.
void LearnedPace::learn(Arrivals& arrivals, SessionPace& session, std::uint32_t until, EndedBy ended_by) {
  const double known = session.read_at_ == 0 ? 0 : seconds_between(session.entry_at_, session.read_at_);
  const double silent = seconds_between(session.entry_at_, until);
  arrivals.learn(session.arrivals_, known, silent, ended_by);
  price_.passed(std::max(0.0, silent - known), ended_by != EndedBy::kNothing);
}

// Since it was read last, or its first entry came.
bool LearnedPace::was_held_up(const SessionPace& session, SteadyTime now, std::span<const milliseconds> ages) const {
  if (!held_up_at_) return false;
  const double since = session.read_at_ == 0 ? in_seconds(ages.front()) : seconds_between(session.read_at_, stamp(now));
  return Seconds(now - *held_up_at_).count() < since;
}

void LearnedPace::note_ages(const SessionPace& session, SteadyTime now, std::span<const milliseconds> ages) {
  const milliseconds oldest = 2 * settings_.max_interval + settings_.discovery_interval;
  if (session.read_at_ == 0 && ages.front() <= oldest) note_first_read(ages);
  for (std::size_t i = 0; i < ages.size(); ++i) {
    const milliseconds age = likely_age(session, now, ages, i, 0.5);
    // What is older was not there to be read: it comes late, the source was down, or the daemon. Nothing is from after
    // now.
    if (age > oldest || age < -kClocksDiffer) continue;
    // What one listing shows at once tells of that one listing.
    if (session.read_at_ == 0 && ++first_ages_ > kMostFirstAges) continue;
    price_.saw(std::max(0.0, in_seconds(age)), session.arrivals_.read_chosen_by());
  }
  price_.was_read(Seconds(now - begin_).count());
  has_seen_ = true;
}

// To a listing a new session is worth what its first read shows, as entries that have waited as long as the first.
void LearnedPace::note_first_read(std::span<const milliseconds> ages) {
  const double oldest = in_seconds(ages.front());
  if (oldest <= 0) return;
  double waited = 0;
  for (const milliseconds age : ages.first(std::min<std::size_t>(ages.size(), kMostFirstAges)))
    waited += std::clamp(in_seconds(age), 0.0, oldest);
  first_entries_ += (waited / oldest - first_entries_) * kFirstsMove;
}

// What the last read did not show came after it, whatever time it names: that may be of another zone, the same for all,
// of full minutes, or of when something began that was written at its end. Then they came at any time since, in their
// order; `part` says where in its part of it, 0 to 1.
milliseconds LearnedPace::likely_age(const SessionPace& session, SteadyTime now, std::span<const milliseconds> ages,
                                     std::size_t i, double part) const {
  const milliseconds said = ages[i];
  if (session.read_at_ == 0) return said;
  const auto since_read = std::chrono::ceil<milliseconds>(Seconds(seconds_between(session.read_at_, stamp(now))));
  if (said >= -kClocksDiffer && said <= 2 * since_read + kClocksDiffer)
    return std::clamp(said, milliseconds{0}, since_read + kClocksDiffer);
  const double count = static_cast<double>(ages.size()), later = static_cast<double>(ages.size() - i);
  return std::chrono::duration_cast<milliseconds>(Seconds(since_read) * (later - part) / count);
}

milliseconds LearnedPace::after_read(SessionPace& session, std::string_view type, SteadyTime now,
                                     milliseconds longest) {
  longest = std::max(longest, settings_.interval);
  if (!learns()) return settings_.interval;
  Arrivals& arrivals = of(type);
  const std::uint32_t at = stamp(now);
  if (session.entry_at_ == 0) session.entry_at_ = at;
  double silent = seconds_between(session.entry_at_, at);
  if (silent > in_seconds(kOldest)) {
    session.entry_at_ = stamp(now - kOldest);
    silent = in_seconds(kOldest);
  }
  learn(arrivals, session, at, EndedBy::kNothing);
  session.read_at_ = at;
  session.arrivals_.set_read_chosen_by(ReadChosenBy::kBound);
  // Of one that runs for very long nothing is expected any more.
  if (longest > settings_.max_interval && silent >= in_seconds(longest)) return longest;
  const Arrivals::Read read = arrivals.until(session.arrivals_, silent, kOldAgesCost * price_.value(),
                                             in_seconds(longest), in_seconds(settings_.aimed_age()));
  session.arrivals_.set_read_chosen_by(read.chosen_by);
  const milliseconds wait = within(read.wait, longest);
  usual_ += (in_seconds(wait) - usual_) * kUsualMoves;
  return wait;
}

milliseconds LearnedPace::within(double seconds, milliseconds longest) const {
  return std::clamp(std::chrono::ceil<milliseconds>(Seconds(seconds)), settings_.interval, longest);
}

milliseconds LearnedPace::usual() const { return within(usual_, std::max(settings_.interval, settings_.max_interval)); }

void LearnedPace::was_late(SteadyTime due, SteadyTime now) {
  if (held_up_at_ && due <= *held_up_at_) return;
  const auto by = now - due;
  if (by > kLateRead) {
    price_.was_late();
  } else {
    price_.was_in_time();
  }
}

std::optional<milliseconds> LearnedPace::mean_age() const {
  if (!learns() || !has_seen_) return std::nullopt;
  return std::chrono::duration_cast<milliseconds>(Seconds(price_.mean_age()));
}

std::string LearnedPace::shortfall() const {
  const auto age = mean_age();
  if (!age || *age <= settings_.aimed_age() * kReached) return {};
  const std::string missed =
      fmt::format("mean age {:.1f} s, aim {}: ", in_seconds(*age), format_duration(settings_.aimed_age()));
  if (price_.share_of_late() > kManyLate)
    return missed +
           fmt::format("rate {}/s or its {} connections are used up", settings_.rate_per_second, settings_.connections);
  if (usual_ <= kAtBound * in_seconds(settings_.interval))
    return missed + fmt::format("interval {} allows no better", format_duration(settings_.interval));
  return missed + "still learns when entries come";
}

void LearnedPace::listing_begins(Instant now) {
  long_ago_ = Instant{now.seconds - Beginnings::kLongestLearnedSeconds, now.nanos};
  std::erase_if(begun_, [this](Instant start) { return start < *long_ago_; });
}

// What the first listing shows began at any time before.
void LearnedPace::began(Instant start) {
  if (listed_ && (!long_ago_ || start >= *long_ago_)) begun_.push_back(start);
}

milliseconds LearnedPace::after_listing(std::optional<Instant> began) {
  const milliseconds longest = settings_.discovery_interval;
  first_ages_ = 0;
  if (!learns() || !began) return longest;
  const double now = in_seconds(*began);
  for (const Instant start : begun_) beginnings_.began(in_seconds(start));
  begun_.clear();
  if (listed_) beginnings_.listed(in_seconds(*listed_), now);
  listed_ = began;
  const double wait = beginnings_.until(now, price_.value() / first_entries_, in_seconds(longest));
  return std::clamp(std::chrono::ceil<milliseconds>(Seconds(wait)), std::min(settings_.interval, longest), longest);
}

}  // namespace sessionlogd
