#include "core/api/login_limit.h"

#include <algorithm>
#include <utility>

namespace sessionlogd {

SteadyTime LoginLimit::ready_at() const { return last_ ? *last_ + gap() : SteadyTime::min(); }

std::chrono::milliseconds LoginLimit::gap() const {
  std::chrono::milliseconds gap = least_;
  for (unsigned deaths = 1; deaths < early_deaths_ && gap < kMost; ++deaths) gap *= 2;
  for (unsigned i = 0; i < std::min(unclear_refusals_, kMostRefusals) && gap < kMost; ++i) gap *= 2;
  return std::min(gap, kMost);
}

void LoginLimit::granted(SteadyTime now, std::chrono::seconds life) {
  granted_ = now;
  unclear_refusals_ = 0;
  promised_ = life;
}

LoginLimit::Change LoginLimit::live(SteadyTime now) {
  return granted_ && lived_long(now) ? end_habit() : Change::kNone;
}

LoginLimit::Change LoginLimit::died(SteadyTime now) {
  if (!granted_) return Change::kNone;  // counted already
  const bool long_enough = lived_long(now);
  granted_.reset();
  if (long_enough) return end_habit();
  return ++early_deaths_ == kHabit ? Change::kHabitBegins : Change::kNone;
}

bool LoginLimit::lived_long(SteadyTime now) const { return now - *granted_ >= promised_ / 2; }

LoginLimit::Change LoginLimit::end_habit() {
  return std::exchange(early_deaths_, 0) >= kHabit ? Change::kHabitEnds : Change::kNone;
}

}  // namespace sessionlogd
