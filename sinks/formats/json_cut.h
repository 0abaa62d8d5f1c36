// Makes an event that is one JSON object fit a limit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sinks/formats/json_line.h"

namespace sessionlogd {

struct JsonCut {
  // What says how long the line was: put in front of what stands in the object or list there.
  struct Mark {
    JsonPath in;
    std::string text;  // its comma included
  };

  JsonPath whole;               // goes first, with its name
  std::vector<JsonPath> texts;  // then the ends of these, in the order in which they are missed least
  std::vector<Mark> marks;
};

// As Format::cut: any text of an entry may be megabytes. Each is cut at a character boundary.
std::string cut_json(std::string_view line, std::size_t limit, const JsonCut& how);

}  // namespace sessionlogd
