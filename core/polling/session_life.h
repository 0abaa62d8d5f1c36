// Decides when a session has been read to its end. Late entries come after its state is final, so it is read right
// after that was seen, then at doubling gaps, the last time at least `settle` later. Knows nothing of requests, and
// believes no clock: all its times are watched time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/packed.h"
#include "core/base/watched_time.h"

namespace sessionlogd {

// When a source was asked what it says of a session, and when it had responded.
struct Shown {
  Watched asked, responded;
};

// What a whole read of a log gave.
enum class LogFill : std::uint8_t {
  kUsual,
  kLacking,  // it is empty, or lacks entries that it had: it is read three times before that is believed
  kPart,     // it says that there is more of it elsewhere: it is never the last
};

class SessionLife {
 public:
  // `row`: ListedSession::beside_start(). A final one that says anything else than before settles again: what was read
  // until then belongs to what it said before.
  void listed(bool final, std::uint32_t row, Shown shown);

  // It ended so long ago that one read will do, instead of one now and one after `settle`. Only right after listed().
  void ended_long_ago() { once_ = true; }

  // As an earlier run left it: it saw the final state at `final_since`, in that row.
  void restore(std::optional<Watched> final_since, std::uint32_t row);

  bool final() const { return final_since_ != kNot; }
  // When its final state was seen: to be made durable.
  std::optional<Watched> final_since() const {
    return final() ? std::optional(Watched{std::int64_t{final_since_}}) : std::nullopt;
  }

  // Reads in a row that lacked something, and when the first was sent: durable, for a run that reads each session once
  // would never believe such a log.
  struct Lacking {
    std::uint8_t reads = 0;
    Watched since{0};
    friend bool operator==(const Lacking&, const Lacking&) = default;
  };
  Lacking lacking() const {
    return lacking_reads_ == 0 ? Lacking{} : Lacking{lacking_reads_, Watched{std::int64_t{settles_from_}}};
  }
  void restore(Lacking lacking) {
    if (lacking.reads == 0 || !final()) return;
    lacking_reads_ = lacking.reads;
    settles_from_ = lacking.since.count();
  }

  // Whether a read sent at `sent` may be the last one: it takes no shortcut over the body's hash.
  bool is_last(Watched sent, std::chrono::milliseconds settle) const;

  struct Next {
    enum class Step {
      kByPace,  // not final: Pace decides
      kWait,    // settling: read again after `wait`
      kDone,    // it was the last read
    } step;
    std::chrono::milliseconds wait{0};
  };
  // A read sent at `sent` brought news. What is written that late may be of a session that was opened again, which only
  // the next listing shows: it settles again.
  void brought_news(Watched sent, std::chrono::milliseconds settle);

  // A read sent at `sent` succeeded.
  Next after_read(Watched sent, LogFill fill, std::chrono::milliseconds settle, std::chrono::milliseconds first_gap);

 private:
  static constexpr std::int64_t kNot = INT64_MIN;
  static constexpr std::uint8_t kReadsThatLack = 3;

  Watched settled_at(std::chrono::milliseconds settle) const { return Watched{std::int64_t{settles_from_}} + settle; }

  Packed<std::int64_t> final_since_ = kNot;   // when the response had come that first showed the final state
  Packed<std::int64_t> settles_from_ = kNot;  // that, or later: see brought_news and LogFill::kLacking
  Packed<std::uint32_t> row_ = 0;
  std::uint8_t settling_reads_ = 0;  // saturates
  std::uint8_t lacking_reads_ = 0;   // in a row; saturates
  bool once_ = false;
};

}  // namespace sessionlogd
