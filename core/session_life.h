// Decides when a session has been read to its end. Late entries come after its state is final, so it is read right
// after that, then at doubling gaps, the last time at least `settle` after it stopped. Knows nothing of requests.
//
// All times are by the appliance's clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/kept_instant.h"
#include "core/timestamp.h"

namespace sessionlogd {

// When a source was asked what it says of a session, and when it had answered.
struct Shown {
  Instant asked, answered;
};

class SessionLife {
 public:
  void listed(bool final, std::optional<Instant> stop, Shown shown);

  bool final() const { return final_since_ != kNever; }

  // Whether a read sent at `sent` is the last one: it takes no shortcut over the body's hash.
  bool is_last(Instant sent, std::chrono::milliseconds settle) const;

  struct Next {
    enum class Step {
      kByPace,  // not final: Pace decides
      kWait,    // settling: read again after `wait`
      kDone,    // it was the last read
    } step;
    std::chrono::milliseconds wait{0};
  };
  // A read sent at `sent` brought news, and `latest` is the latest log time there is. What was written since the
  // session was listed as final may be of one that was opened again, which only the next listing shows: it settles
  // again.
  void brought_news(Instant sent, Instant latest, std::chrono::milliseconds settle);

  // A read sent at `sent` succeeded.
  Next after_read(Instant sent, std::chrono::milliseconds settle, std::chrono::milliseconds first_gap);

 private:
  Instant settled_at(std::chrono::milliseconds settle) const;

  KeptInstant final_asked_, final_since_;  // of the answer that first showed the final state: asked for, and there
  KeptInstant running_at_;  // when the last answer that showed another state had come, or see brought_news
  KeptInstant stop_;
  std::uint8_t settling_reads_ = 0;  // saturates
};

}  // namespace sessionlogd
