#include "sinks/formats/json_cut.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/json_text.h"

namespace sessionlogd {
namespace {

// A part of the line: [from, to).
struct Span {
  std::size_t from = 0, to = 0;
  std::size_t size() const { return to - from; }
};

// A member of the object that starts at `object`: `whole` with its name and the comma before or behind it, `value`
// alone.
struct Member {
  Span whole, value;
};

std::optional<Member> find_member(std::string_view line, std::size_t object, std::string_view name) {
  std::size_t at = object + 1;
  while (at < line.size() && line[at] == '"') {
    const std::optional<std::size_t> name_end = end_of_value(line, at);
    if (!name_end || *name_end >= line.size()) return std::nullopt;
    const std::optional<std::size_t> value_end = end_of_value(line, *name_end + 1);
    if (!value_end) return std::nullopt;
    if (inside_quotes(line.substr(at, *name_end - at)) == name) {
      const std::size_t from = line[at - 1] == ',' ? at - 1 : at;
      const std::size_t to = from == at && line[*value_end] == ',' ? *value_end + 1 : *value_end;
      return Member{{from, to}, {*name_end + 1, *value_end}};
    }
    if (line[*value_end] != ',') return std::nullopt;
    at = *value_end + 1;
  }
  return std::nullopt;
}

std::optional<Member> find_member(std::string_view line, const JsonPath& path) {
  if (path.object.empty()) return find_member(line, 0, path.name);
  const std::optional<Member> holder = find_member(line, 0, path.object);
  return holder ? find_member(line, holder->value.from, path.name) : std::nullopt;
}

// How long an escape or a character of UTF-8 is that begins with `text`.
std::size_t character_size(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first == '\\') return text.size() > 1 && text[1] == 'u' ? 6 : 2;
  return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

// The last `excess` bytes of a string token and as many more as keep its last character whole; its quotes stay.
Span end_of_text(std::string_view line, const Span& token, std::size_t excess) {
  const std::size_t end = token.to - 1, most = end - std::min(excess, token.size() - 2);
  std::size_t at = token.from + 1;
  for (;;) {
    const std::size_t next = at + character_size(line.substr(at));
    if (at >= most || next > most) break;
    at = next;
  }
  return {at, end};
}

}  // namespace

std::string cut_json(std::string_view line, std::size_t limit, const JsonCut& how) {
  std::string out(line);
  const std::string mark = fmt::format(R"("truncated":{},)", line.size());
  const auto excess = [&] { return out.size() + mark.size() > limit ? out.size() + mark.size() - limit : 0; };
  const auto cut = [&](const Span& span) { out.erase(span.from, span.size()); };

  if (const auto extra = find_member(out, how.whole); extra && excess() > 0) cut(extra->whole);
  for (const JsonPath& text : how.texts) {
    if (excess() == 0) break;
    const auto member = find_member(out, text);
    if (member && is_string_token(std::string_view(out).substr(member->value.from, member->value.size())))
      cut(end_of_text(out, member->value, excess()));
  }
  if (const auto marked = find_member(out, 0, how.mark_in)) out.insert(marked->value.from + 1, mark);
  out.shrink_to_fit();  // it waits beside others, and what was cut may have been megabytes
  return out;
}

}  // namespace sessionlogd
