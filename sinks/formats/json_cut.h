// Makes an event that is one JSON object fit a limit.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "sinks/formats/json_line.h"

namespace sessionlogd {

struct JsonCut {
  JsonPath whole;                   // goes first, with its name
  std::span<const JsonPath> texts;  // then the ends of these, in the order in which they are missed least
  std::string_view mark_in;         // the object that gets "truncated": how many bytes the line had
};

// As Format::cut: any text of an entry may be megabytes. Each is cut at a character boundary.
std::string cut_json(std::string_view line, std::size_t limit, const JsonCut& how);

}  // namespace sessionlogd
