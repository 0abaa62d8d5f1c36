#include "daemon/service/line_groups.h"

#include <fmt/format.h>

#include <functional>

namespace sessionlogd {
namespace {

// What an operator would look at first when so many say it at once.
std::string_view hint_for(std::string_view text) {
  if (text.find("resolve") != text.npos) return "; is it our resolver?";
  if (text.find("clock is ") != text.npos) return "; is it our own clock?";
  return "; what do they have in common?";
}

bool is_a_name(std::string_view word) {
  const std::string_view inner = word.substr(0, word.find_last_not_of(".:;,") + 1);
  return inner.find_first_of("0123456789.:/@") != inner.npos;
}

}  // namespace

std::string common_part(std::string_view text) {
  std::string common;
  bool is_status = false;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    common += is_a_name(word) && !is_status ? "*" : word;
    common += ' ';
    is_status = word == "HTTP";
    text.remove_prefix(word.size() < text.size() ? word.size() + 1 : word.size());
  }
  return common;
}

bool LineGroups::may_pass(int level, std::string_view source, std::string_view text, SteadyTime now) {
  std::string common = fmt::format("{} {}", level, common_part(text));
  auto found = groups_.find(common);
  if (found == groups_.end()) {
    if (groups_.size() >= kMostGroups) return true;
    found = groups_.emplace(std::move(common), Group{now, level, std::string(text), {}, 0}).first;
  }
  Group& group = found->second;
  group.sources.insert(std::hash<std::string_view>{}(source));
  if (group.sources.size() <= kSaidAlone) return true;
  ++group.held;
  return false;
}

std::vector<LineGroups::Line> LineGroups::take_ended(SteadyTime now) {
  std::vector<Line> lines;
  for (auto at = groups_.begin(); at != groups_.end();) {
    const Group& group = at->second;
    if (now - group.since < kWindow) {
      ++at;
      continue;
    }
    if (group.held > 0) {
      lines.push_back({group.level, fmt::format("{} more sources within {} s: {}{}", group.sources.size() - kSaidAlone,
                                                kWindow.count(), group.first, hint_for(group.first))});
    }
    at = groups_.erase(at);
  }
  return lines;
}

}  // namespace sessionlogd
