// Reads the answers that say which sessions there are: a page of the listing, or one session asked for by its id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/dialect.h"
#include "core/result.h"
#include "core/session_life.h"
#include "core/timestamp.h"

namespace sessionlogd {

struct ListedSession {
  std::string id;
  std::string type, name, parent, status;  // "" = not said
  std::optional<ReadTime> start, stop;
  // Differs when the listing says anything new of it. The upper half is of the start time alone, 0 when there is none:
  // another start under the same id is another session.
  std::uint64_t digest = 0;
  Shown shown{};  // set by who asked
};

// Whether two digests speak of the same session under one id. One without a start time may be either.
inline bool same_start(std::uint64_t a, std::uint64_t b) { return a >> 32 == b >> 32 || a >> 32 == 0 || b >> 32 == 0; }

struct SessionPage {
  std::vector<ListedSession> sessions;  // in order of the answer, those without a usable id left out
  std::vector<std::string> row_ids;     // of every row; of one without a usable id something that stands for it
  std::optional<std::uint64_t> total;
};

// kBadAnswer when it is not a page at all, or broken anywhere: a listing counts only whole.
Result<SessionPage> parse_session_page(const Dialect& dialect, std::string_view body);
Result<ListedSession> parse_session(const Dialect& dialect, std::string_view body);

}  // namespace sessionlogd
