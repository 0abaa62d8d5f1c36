#include "bench/fleet/account.h"

#include <fmt/format.h>

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

std::string in_ms(Nanos span) { return fmt::format("{} ms", span / kMillisecond); }

}  // namespace

void Account::arrived(Nanos at, std::string what) {
  ++requests;
  heard({at, Happening::kArrival, 0, std::move(what)});
}

void Account::logged_in(Nanos at, std::string what) {
  ++logins;
  heard({at, Happening::kLogin, 0, std::move(what)});
}

void Account::ended(Nanos at) { heard({at, Happening::kEnd, 0, {}}); }

void Account::asked_to_wait(Nanos at, Nanos until, std::string what) {
  heard({at, Happening::kWish, until, std::move(what)});
}

Account Account::judged() const {
  Account all = *this;
  all.judge_up_to(kNever);
  return all;
}

void Account::heard(Happening happening) {
  latest_ = std::max(latest_, happening.at);
  heard_.push(std::move(happening));
  judge_up_to(latest_ - kLateNews);
}

void Account::judge_up_to(Nanos at) {
  while (!heard_.empty() && heard_.top().at <= at) {
    judge(heard_.top());
    heard_.pop();
  }
}

void Account::judge(const Happening& happening) {
  switch (happening.kind) {
    case Happening::kEnd:
      --in_flight_;
      break;
    case Happening::kWish:
      wishes_.push_back({happening.at, happening.until, happening.what});
      break;
    case Happening::kArrival:
      judge_arrival(happening);
      break;
    case Happening::kLogin:
      judge_login(happening);
      break;
  }
}

void Account::judge_arrival(const Happening& request) {
  const auto in_flight = static_cast<std::uint64_t>(std::max<std::int64_t>(++in_flight_, 0));
  most_in_flight = std::max(most_in_flight, in_flight);
  if (allowed_.connections > 0 && in_flight > allowed_.connections) {
    tell(request, fmt::format("while {} others were in flight", in_flight - 1));
  }
  if (request.at / kSecond != second_) {
    second_ = request.at / kSecond;
    in_second_ = 0;
  }
  busiest_second = std::max(busiest_second, ++in_second_);
  if (allowed_.rate > 0) judge_rate(request);
  judge_wait(request);
}

void Account::judge_login(const Happening& request) {
  constexpr Nanos kBetweenLogins = 30 * kSecond;
  const Nanos after = request.at - last_login_;
  if (std::exchange(has_logged_in_, true) && after < kBetweenLogins - kTwoClocks) {
    ++hasty_logins;
    tell(request, fmt::format("as a login {} after another", in_ms(after)));
  }
  last_login_ = request.at;
}

void Account::judge_rate(const Happening& request) {
  const auto cost = static_cast<Nanos>(static_cast<double>(kSecond) / allowed_.rate);
  const Nanos ahead = paid_until_ - std::max<Nanos>(kSecond - cost, 0) - request.at;
  most_ahead = std::max(most_ahead, ahead);
  if (ahead > kBetweenReadingAndSending) {
    ++above_rate;
    tell(request, fmt::format("{} before the rate allowed it", in_ms(ahead)));
  }
  paid_until_ = std::max(paid_until_, request.at) + cost;
}

// Each wish for itself: one that comes as another ends may cross what waited for that end.
void Account::judge_wait(const Happening& request) {
  std::erase_if(wishes_, [&](const Wish& wish) { return request.at >= wish.until - kTwoClocks; });
  if (wishes_.empty()) return;
  const Wish& wish = wishes_.front();
  const Nanos late = request.at - wish.known_at;
  if (late > kBetweenReadingAndSending) {
    ++inside_retry_after;
    tell(request, fmt::format("{} after a wish to wait, {} before its end: {}, sent by {}", in_ms(late),
                              in_ms(wish.until - request.at), wish.what, azure_time(wish.known_at)));
    return;
  }
  ++on_the_wire;
  latest_on_the_wire = std::max(latest_on_the_wire, late);
}

void Account::tell(const Happening& request, const std::string& how) {
  if (told.size() < kMostTold) told.push_back(fmt::format("{} {} came {}", azure_time(request.at), request.what, how));
}

}  // namespace fleet
