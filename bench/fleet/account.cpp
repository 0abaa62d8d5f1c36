#include "bench/fleet/account.h"

#include <algorithm>
#include <utility>

namespace fleet {

namespace {

// Longer than the fleet needs to find out what happened, however busy the machine is.
constexpr Nanos kLateNews = 3 * kSecond;

// A client that reads everything that came before it sends anything may still lose the processor in between, for some
// time slices of a busy machine. And requests that it sent apart may go out together.
constexpr Nanos kBetweenReadingAndSending = 100 * kMillisecond;
// A client counts the span on its steady clock, we look at the clock on the wall.
constexpr Nanos kTwoClocks = 10 * kMillisecond;

}  // namespace

void Account::arrived(Nanos at) {
  ++requests;
  heard({at, Happening::kArrival, 0});
}

void Account::logged_in(Nanos at) {
  ++logins;
  heard({at, Happening::kLogin, 0});
}

void Account::ended(Nanos at) { heard({at, Happening::kEnd, 0}); }

void Account::asked_to_wait(Nanos at, Nanos until) { heard({at, Happening::kWish, until}); }

Account Account::judged() const {
  Account all = *this;
  all.judge_up_to(kNever);
  return all;
}

void Account::heard(const Happening& what) {
  heard_.push(what);
  latest_ = std::max(latest_, what.at);
  judge_up_to(latest_ - kLateNews);
}

void Account::judge_up_to(Nanos at) {
  while (!heard_.empty() && heard_.top().at <= at) {
    judge(heard_.top());
    heard_.pop();
  }
}

void Account::judge(const Happening& what) {
  switch (what.kind) {
    case Happening::kEnd:
      --in_flight_;
      break;
    case Happening::kWish:
      wishes_.push_back({what.at, what.until});
      break;
    case Happening::kArrival:
      judge_arrival(what.at);
      break;
    case Happening::kLogin:
      judge_login(what.at);
      break;
  }
}

void Account::judge_arrival(Nanos at) {
  most_in_flight = std::max(most_in_flight, static_cast<std::uint64_t>(std::max<std::int64_t>(++in_flight_, 0)));
  if (at / kSecond != second_) {
    second_ = at / kSecond;
    in_second_ = 0;
  }
  busiest_second = std::max(busiest_second, ++in_second_);
  if (rate_ > 0) judge_rate(at);
  judge_wait(at);
}

void Account::judge_login(Nanos at) {
  constexpr Nanos kBetweenLogins = 30 * kSecond;
  if (std::exchange(has_logged_in_, true) && at - last_login_ < kBetweenLogins - kTwoClocks) ++hasty_logins;
  last_login_ = at;
}

void Account::judge_rate(Nanos at) {
  const auto cost = static_cast<Nanos>(static_cast<double>(kSecond) / rate_);
  const Nanos ahead = paid_until_ - std::max<Nanos>(kSecond - cost, 0) - at;
  most_ahead = std::max(most_ahead, ahead);
  if (ahead > kBetweenReadingAndSending) ++above_rate;
  paid_until_ = std::max(paid_until_, at) + cost;
}

// Each wish for itself: one that comes as another ends may cross what waited for that end.
void Account::judge_wait(Nanos at) {
  std::erase_if(wishes_, [at](const Wish& wish) { return at >= wish.until - kTwoClocks; });
  if (wishes_.empty()) return;
  const Nanos late = at - wishes_.front().known_at;
  if (late > kBetweenReadingAndSending) {
    ++inside_retry_after;
    return;
  }
  ++on_the_wire;
  latest_on_the_wire = std::max(latest_on_the_wire, late);
}

}  // namespace fleet
