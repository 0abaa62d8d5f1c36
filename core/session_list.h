// Reads the answers that say which sessions there are: a page of the listing, or one session asked for by its id.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/dialect.h"
#include "core/result.h"
#include "core/timestamp.h"

namespace sessionlogd {

struct ListedSession {
  std::string id;
  std::string type, name, parent, status;  // "" = not said
  std::optional<ReadTime> start, stop;
  std::uint64_t digest = 0;  // of status, times, type and update number: differs when the listing says anything new of it
};

struct SessionPage {
  std::vector<ListedSession> sessions;  // in order of the answer
  std::size_t rows = 0;                 // how many the page held, those that could not be read included
  std::optional<std::uint64_t> total;
  std::size_t unreadable = 0;           // rows without a usable id
};

// kBadAnswer when it is not a page at all, or broken anywhere: a listing counts only whole.
Result<SessionPage> parse_session_page(const Dialect& dialect, std::string_view body);
Result<ListedSession> parse_session(const Dialect& dialect, std::string_view body);

}  // namespace sessionlogd
