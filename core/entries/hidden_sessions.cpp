#include "core/entries/hidden_sessions.h"

#include <algorithm>

namespace sessionlogd {

void HiddenSessions::delivered(const Delivered& event) {
  if (!listing_ || !event.log_time || !event.read_at || listing_->ids.contains(event.session_id)) return;
  Begun& one = begun_.try_emplace(event.session_key, Begun{*event.log_time, *event.read_at, {}}).first->second;
  one.at = std::min(one.at, *event.log_time);
  one.read_at = std::min(one.read_at, *event.read_at);
  if (may_be_hidden(one)) {
    one.id = event.session_id;
  } else {
    one.id.clear();
  }
}

bool HiddenSessions::may_be_hidden(const Begun& one) const {
  return one.at >= listing_->from && one.at >= listing_->oldest_stop.value_or(one.at) && one.read_at < listing_->asked;
}

std::vector<std::string> HiddenSessions::sessions() const {
  std::vector<std::string> hidden;
  for (const auto& [key, one] : begun_) {
    if (may_be_hidden(one)) hidden.push_back(one.id);
  }
  std::ranges::sort(hidden);
  return hidden;
}

}  // namespace sessionlogd
