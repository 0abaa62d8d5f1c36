// What the journal keeps of a line of our log, field by field, so that `journalctl SESSIONLOGD_SOURCE=aws-eu` works.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sessionlogd {

// "NAME=value" each: MESSAGE and PRIORITY; SESSIONLOGD_SOURCE, _SESSION and _SINK of the words source=, session= and
// sink= with which the line begins; ERRNO of a sink's line that names an error of the system. Words further on are none
// of ours: they may be an appliance's. A value may hold any byte.
std::vector<std::string> journal_fields(int priority, std::string_view line);

}  // namespace sessionlogd
