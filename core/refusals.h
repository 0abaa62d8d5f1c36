// Tells a source that gives no logs at all from one session that cannot be read: after an upgrade an api_version may be
// refused for every session, or a page for people may stand in for every answer, and then no session is gone.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sessionlogd {

class Refusals {
 public:
  static constexpr std::size_t kSessions = 3;

  // A log could be read.
  void read() { refused_.clear(); }

  // What came for this session's log says that there is none: HTTP 400, 404, 406 or 501, or it was no log.
  void refused(std::uint64_t session_key) {
    if (refused_.size() < kSessions && std::find(refused_.begin(), refused_.end(), session_key) == refused_.end())
      refused_.push_back(session_key);
  }

  // So many different sessions were refused since a log could be read last.
  bool in_general() const { return refused_.size() >= kSessions; }

 private:
  std::vector<std::uint64_t> refused_;
};

}  // namespace sessionlogd
