// What the journal keeps of a line of our log, field by field, so that `journalctl SESSIONLOGD_SOURCE=aws-eu` works.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/log_line.h"

namespace sessionlogd {

// "NAME=value" each: MESSAGE and PRIORITY; SESSIONLOGD_SOURCE, _SESSION and _SINK of whom the line is about; ERRNO of a
// sink's line that names an error of the system. Nothing is taken from the words of the line but that number: they may
// be an appliance's. All of it is printable.
std::vector<std::string> journal_fields(int priority, const About& about, std::string_view line);

}  // namespace sessionlogd
