// The daemon's /status as a table for a person, with what is wrong at the top.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/timestamp.h"

namespace sessionlogd {

enum class Colour { kNone, kTerminal };

struct StatusTable {
  bool well = false;  // every source is ok or starting, and the daemon is ready
  std::string text;   // lines, each ended by "\n"
};

// `status_json` is the response of /status at `now`. kBadResponse: it is none.
Result<StatusTable> status_table(std::string_view status_json, Instant now, Colour colour);

// The first `lines` lines, and how many are not shown.
std::string first_lines(const std::string& text, std::size_t lines);

}  // namespace sessionlogd
