// Decides by success whether a source gives its logs: one that lists its sessions, but refuses, garbles or holds back
// their logs is not well, whatever the cause is.
//
//   asked ─▶ owed ─▶ read: owed no more
//                 └▶ failed: still owed, since it was asked for first
//
// The time in which the queue is full does not count: nothing is read then, and nobody is judged. No clock is read
// here.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace sessionlogd {

class ReadSuccess {
 public:
  static constexpr int kIntervals = 10;  // of max_interval: then nothing is read
  static constexpr std::chrono::minutes kFailing{10};
  static constexpr std::size_t kSessions = 3;  // fewer say nothing of the source ...
  static constexpr std::size_t kShare = 10;    // ... nor does less than a tenth of those that are due
  static constexpr unsigned kInARow = 2;       // one read that fails is an accident

  // `timeout`: sooner nobody knows that a request hangs.
  ReadSuccess(std::chrono::milliseconds max_interval, std::chrono::milliseconds timeout);

  // What a failure says something of. kSession: a finished session's log is not there, though the session is. Once
  // another log can be read, that says nothing of the source.
  enum class About : std::uint8_t { kSource, kSession };
  // A session's log is asked for, was read to its end, or could not be.
  void asked(std::uint64_t session_key, SteadyTime now);
  void read(std::uint64_t session_key, SteadyTime now);
  void failed(std::uint64_t session_key, const Error& why, SteadyTime now, About about = About::kSource);
  // Nobody asks for it any more.
  void gone(std::uint64_t session_key);

  enum class Verdict : std::uint8_t {
    kGivesLogs,  // also when nothing was due, or nobody knows better yet
    kRefuses,    // three sessions, and most of those due, were refused since a log could be read last; or three, and
                 // none could be read for max_interval
    kNoneRead,   // none could be read for ten times max_interval while one was due: one or two of kSession say nothing
    kManyFail,   // three sessions, and a tenth of those due, have failed for ten minutes
  };
  struct Judgement {
    Verdict verdict = Verdict::kGivesLogs;
    std::size_t sessions = 0;      // that fail, of kManyFail
    std::chrono::seconds span{0};  // of kNoneRead: since then none was read
  };
  enum class Judged { kYes, kNotNow };
  // At least every few seconds. `due`: sessions that are read at their times, those that are asked for just now
  // included. kNotNow leaves it at what was said last, and the time until the next kYes does not count.
  const Judgement& judge(Judged judged, std::size_t due, SteadyTime now);

  // Sessions whose last reads failed, kInARow of them or more.
  std::size_t failing() const;
  // Since when one was asked for and not read, nullopt: all that were asked for were read.
  std::optional<SteadyTime> owed_since() const;
  // Why a log could not be read, the last time, where that says something of the source; nullopt: none has failed yet.
  const std::optional<Error>& last_failure() const { return last_failure_; }

 private:
  struct Owed {
    SteadyTime since;               // it was asked for first
    SteadyClock::duration held;     // held_ then
    unsigned failures = 0;          // in a row
    std::uint64_t refused_in = 0;   // which reads_, 0 = not refused
    std::uint64_t lacks_since = 0;  // which reads_, 0 = its last failure was not About::kSession
  };
  bool lacks_only_its_own(const Owed& owed) const { return owed.lacks_since != 0 && owed.lacks_since < reads_; }
  SteadyClock::duration judged_for(const Owed& owed, SteadyTime now) const {
    return now - owed.since - (held_ - owed.held);
  }
  SteadyClock::duration without_a_read(SteadyTime now) const;
  std::size_t failing_for_long(SteadyTime now) const;
  Judgement look(std::size_t due, SteadyTime now) const;

  const std::chrono::milliseconds max_interval_, none_read_;
  boost::unordered_flat_map<std::uint64_t, Owed> owed_;  // by session_key
  std::optional<Owed> read_;                             // when one was read last
  std::uint64_t reads_ = 1;
  std::size_t refused_ = 0;        // different sessions, since a log could be read last
  SteadyClock::duration held_{0};  // in which nobody was judged
  std::optional<SteadyTime> held_since_;
  Judgement judgement_;
  std::optional<Error> last_failure_;
};

}  // namespace sessionlogd
