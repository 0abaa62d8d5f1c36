// What the configuration must know of a format that events are written in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sessionlogd {

struct FormatRules {
  std::string_view name;
  bool has_facility = false;             // it has a use for sink.facility
  bool for_syslog = false;               // its receivers cut what is longer than their own limit
  std::size_t longest_label = SIZE_MAX;  // of the names of labels
};

}  // namespace sessionlogd
