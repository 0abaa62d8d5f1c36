// How one source, or one shard, is doing: plain values, taken on the shard's thread when somebody asks, and safe to
// carry anywhere.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "core/api/waiting.h"
#include "core/base/metrics.h"
#include "core/base/timestamp.h"
#include "core/http/request_counts.h"
#include "core/polling/source_counters.h"
#include "core/state/verify_place.h"

namespace sessionlogd {

enum class SourceCondition : std::uint8_t {
  kOk,           // it is listed, and its logs can be read, or none was due
  kStarting,     // no listing was read to its end yet, and none has failed
  kBackingOff,   // its last listing failed, or its logs cannot be read; it is tried again
  kOpenBreaker,  // three requests failed, and nothing is answered: single probes, at most 30 s apart
  kParked,       // its credential was refused and is held back, or a file that its settings name cannot be used
};

// What does not change while a source is polled.
struct SourceIdentity {
  std::string name, id, dialect, url;
  std::chrono::seconds retention;

  static SourceIdentity of(const SourceSettings& settings);
};

struct SourceView {
  std::shared_ptr<const SourceIdentity> identity;
  std::uint64_t life = 0;  // of its lane
  SourceCondition condition = SourceCondition::kStarting;
  std::string error;  // what is wrong, in words; of one that is kOk or kStarting, that its listing goes on and on

  SourceCounts counts;
  std::array<std::size_t, 4> sessions{};  // waiting, open, settling, done
  // Of the last round of verify that ended, at `verified_at`, our clock; its `late` and `could_not` also of the one
  // that goes on.
  VerifyTally verified{};
  std::optional<Instant> verified_at{};
  std::size_t sessions_failing = 0;  // whose last reads failed, two of them or more
  RequestCounts requests;

  std::optional<Instant> last_poll, last_listing;  // when last with success, our clock
  std::chrono::duration<double> lag{0};
  std::chrono::duration<double> lateness{0};   // of the session that is due longest
  std::chrono::duration<double> entry_age{0};  // of the last new entries when they were read, the mean; 0: not known
  std::string pace{};                          // why that is above `freshness`, "" = it is not
  std::chrono::seconds clock_offset{0};
  std::optional<std::chrono::duration<double>> response_p50, response_p95;  // of its last thousand responses
  // Nothing is asked of it before; nullopt: nothing is waited for that takes a second or more.
  std::optional<Instant> waiting_until;
  std::chrono::duration<double> waiting{0};  // from now on
  WaitingFor waiting_for = WaitingFor::kRetryAfter;
  std::optional<Instant> breaker_until, token_expires, certificate_expires;
};

// Of a source that nobody can say anything of before the sink has told what was delivered.
SourceView view_of_waiting(const SourceSettings& settings);

// Of a source that cannot be polled at all, for the reason in `why`.
SourceView view_of_unusable(const SourceSettings& settings, const std::string& why);

struct ShardView {
  std::vector<SourceView> sources;
  HistogramCounts poll_seconds, poll_lateness_seconds;
  std::size_t body_bytes = 0;
  std::size_t requests_in_flight = 0;
};

}  // namespace sessionlogd
