// Reads the responses that say which sessions there are: a page of the listing, or one session asked for by its id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/dialect.h"
#include "core/base/result.h"
#include "core/base/time_shift.h"
#include "core/base/timestamp.h"
#include "core/polling/listing_walk.h"
#include "core/polling/session_life.h"

namespace sessionlogd {

struct ListedSession {
  std::string id;
  std::string type, name, parent, status, update_number;  // "" = not said
  std::optional<ReadTime> start, stop;                    // .NET's year 1 is none
  // Differs when the listing says anything new of it. The upper half is of the start time alone, 0 when there is none.
  // Times count to the microsecond: a source may show seven digits first and six later.
  std::uint64_t digest = 0;
  std::uint64_t old_digest = 0;  // as the version before would have made it
  std::uint32_t stop_hash = 0;   // of the stop time alone
  Shown shown{};                 // set by who asked

  std::uint32_t beside_start() const { return static_cast<std::uint32_t>(digest); }
};

// Whether two digests name the same start. One without a start time may be either's.
inline bool has_start(std::uint64_t digest) { return digest >> 32 != 0; }
inline bool same_start(std::uint64_t a, std::uint64_t b) { return a >> 32 == b >> 32 || a >> 32 == 0 || b >> 32 == 0; }

// By how much the row's start is later than the one that the digest names; none where no zones are so far apart.
TimeShift shift_since(std::uint64_t digest, const ListedSession& row);
// The row as it was before its times were shifted so.
ListedSession before_shift(ListedSession row, TimeShift shift);

struct SessionPage {
  std::vector<ListedSession> sessions;  // in order of the response, those without a usable id left out
  std::vector<ListingWalk::Row> rows;   // every row; of one without a usable id something that stands for it
  std::optional<std::uint64_t> total;   // it proves nothing, but where there are no rows

  std::size_t unusable() const { return rows.size() - sessions.size(); }
};

// kBadResponse when it is not a page at all, or broken anywhere: a listing counts only whole. What proves a page is its
// array, or null in place of it with a total of 0.
Result<SessionPage> parse_session_page(const Dialect& dialect, std::string_view body);
Result<ListedSession> parse_session(const Dialect& dialect, std::string_view body);

}  // namespace sessionlogd
