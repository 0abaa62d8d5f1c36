// Makes an event fit a limit: what is least missed goes first, never what identifies it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sessionlogd {

// `line` is one event of format "ecs", without its "\n". It loses sessionlog.extra, then as much of event.original,
// then as much of the message (of error.message for a gap) as `limit` asks for, then of the other texts of the entry,
// for any of them may be megabytes, each at a character boundary, and sessionlog.truncated tells how many bytes the
// line had. What remains of a line whose other fields alone are larger is still that large.
std::string cut_event(std::string_view line, std::size_t limit);

}  // namespace sessionlogd
