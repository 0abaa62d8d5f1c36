// JSON strings that people look at in a terminal: the same text, and nothing in it that moves a cursor.
#pragma once

#include <string>
#include <string_view>

namespace sessionlogd {

// Like append_json_string(), and every character that is not printable (core/base/printable.h) is written as \uXXXX,
// which stands for itself.
void append_visible_json_string(std::string& out, std::string_view text);

}  // namespace sessionlogd
