// What the encoders of JSON write again and again.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json_text.h"
#include "core/state/session_info.h"

namespace sessionlogd {

// `before`, the text as a JSON string, and `behind`; nothing when there is no text. `Text` is std::string or
// LineBuffer.
template <class Text>
void append_json_field(Text& out, std::string_view before, std::string_view text, std::string_view behind = {}) {
  if (text.empty()) return;
  out += before;
  append_json_string(out, text);
  out += behind;
}

// What the listing said of a session, each behind a comma.
inline void append_session_fields(std::string& out, const SessionInfo& session) {
  append_json_field(out, R"(,"session_id":)", session.id);
  append_json_field(out, R"(,"session_type":)", session.type);
  append_json_field(out, R"(,"session_name":)", session.name);
  append_json_field(out, R"(,"parent_session_id":)", session.parent);
}

// "name":"text","name":"text"
inline std::string json_members(const std::vector<std::pair<std::string, std::string>>& labels) {
  std::string members;
  for (const auto& [name, text] : labels) {
    if (!members.empty()) members += ',';
    append_json_string(members, name);
    members += ':';
    append_json_string(members, text);
  }
  return members;
}

}  // namespace sessionlogd
