#include "sinks/formats/json_cut.h"

#include <algorithm>
#include <optional>

#include "core/base/json_text.h"
#include "core/base/utf8.h"
#include "sinks/formats/json_steps.h"

namespace sessionlogd {
namespace {

// A part of the line: [from, to).
struct Span {
  std::size_t from = 0, to = 0;
  std::size_t size() const { return to - from; }
  std::string_view of(std::string_view line) const { return line.substr(from, size()); }
};

// A member of an object or an element of a list: `item` with its name, `value` alone.
struct Found {
  Span item, value;
};

// Calls `is_it` for the members of the object, or the elements of the list, that starts at `at` until it is true.
template <class Function>
std::optional<Found> find_item(std::string_view line, std::size_t at, Function is_it) {
  const bool named = line[at] == '{';
  do {
    Found item{{++at, at}, {}};
    if (named) {
      const std::optional<std::size_t> name_end = end_of_value(line, at);
      if (!name_end || *name_end >= line.size()) return std::nullopt;
      at = *name_end + 1;
    }
    const std::optional<std::size_t> end = end_of_value(line, at);
    if (!end || *end >= line.size()) return std::nullopt;
    item.value = {at, *end};
    item.item.to = *end;
    if (is_it(item)) return item;
    at = *end;
  } while (line[at] == ',');
  return std::nullopt;
}

std::optional<Found> find_member(std::string_view line, std::size_t object, std::string_view name) {
  if (line[object] != '{') return std::nullopt;
  return find_item(line, object, [&](const Found& member) {
    const Span token{member.item.from, member.value.from - 1};
    return inside_quotes(token.of(line)) == name;
  });
}

// The element {"key":name,"value":...}: its value is that of "value".
std::optional<Found> find_attribute(std::string_view line, std::size_t list, std::string_view name) {
  std::optional<Found> value;
  std::optional<Found> found = find_item(line, list, [&](const Found& element) {
    const std::optional<Found> key = find_member(line, element.value.from, "key");
    if (!key || inside_quotes(key->value.of(line)) != name) return false;
    value = find_member(line, element.value.from, "value");
    return value.has_value();
  });
  if (found) found->value = value->value;
  return found;
}

std::optional<Found> find(std::string_view line, std::string_view path) {
  std::optional<Found> found = Found{{0, line.size()}, {0, line.size()}};
  for (JsonSteps steps(path); found && !steps.empty();) {
    const JsonStep step = steps.take();
    const std::size_t at = found->value.from;
    if (step.kind == JsonStep::Kind::kMember) {
      found = find_member(line, at, step.name);
    } else if (line[at] != '[') {
      found.reset();
    } else if (step.kind == JsonStep::Kind::kAttribute) {
      found = find_attribute(line, at, step.name);
    } else {
      found = find_item(line, at, [](const Found&) { return true; });
    }
  }
  return found;
}

// An item with the comma before or behind it.
Span with_its_comma(std::string_view line, Span item) {
  if (line[item.from - 1] == ',') return {item.from - 1, item.to};
  return {item.from, line[item.to] == ',' ? item.to + 1 : item.to};
}

// How long an escape or a character of UTF-8 is that begins with `text`.
std::size_t character_size(std::string_view text) {
  if (text.front() == '\\') return text.size() > 1 && text[1] == 'u' ? 6 : 2;
  return std::max<std::size_t>(utf8_length(text), 1);
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
  std::size_t marks = 0;
  for (const JsonCut::Mark& mark : how.marks) marks += mark.text.size();
  const auto excess = [&] { return out.size() + marks > limit ? out.size() + marks - limit : 0; };
  const auto cut = [&](const Span& span) { out.erase(span.from, span.size()); };

  if (const auto extra = find(out, how.whole); extra && excess() > 0) cut(with_its_comma(out, extra->item));
  for (const JsonPath& path : how.texts) {
    if (excess() == 0) break;
    const auto text = find(out, path);
    if (text && is_string_token(text->value.of(out))) cut(end_of_text(out, text->value, excess()));
  }
  for (const JsonCut::Mark& mark : how.marks) {
    const auto holder = find(out, mark.in);
    if (!holder) continue;
    const std::size_t first = holder->value.from + 1;
    if (out[first] == '"' || out[first] == '{') out.insert(first, mark.text);
  }
  out.shrink_to_fit();  // it waits beside others, and what was cut may have been megabytes
  return out;
}

}  // namespace sessionlogd
