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

// Where a member of an object, or an element of a list, begins: `item` with its name, `last` without, which is what it
// ends with; `value` is what a path goes on with. Where they end is looked for when it is asked: they may hold nearly
// the whole line.
struct Place {
  std::size_t item = 0, last = 0, value = 0;
};

// Calls `is_it` for the members of the object, or the elements of the list, that starts at `at` until it is true.
template <class Function>
std::optional<Place> find_item(std::string_view line, std::size_t at, Function is_it) {
  const bool named = line[at] == '{';
  do {
    Place item{++at, at, at};
    if (named) {
      const std::optional<std::size_t> name_end = end_of_value(line, at);
      if (!name_end) return std::nullopt;
      item.last = item.value = *name_end + 1;
    }
    if (item.value >= line.size()) return std::nullopt;
    if (is_it(item)) return item;
    const std::optional<std::size_t> end = end_of_value(line, item.value);
    if (!end || *end >= line.size()) return std::nullopt;
    at = *end;
  } while (line[at] == ',');
  return std::nullopt;
}

std::optional<Place> find_member(std::string_view line, std::size_t object, std::string_view name) {
  if (line[object] != '{') return std::nullopt;
  return find_item(line, object, [&](const Place& member) {
    const Span token{member.item, member.value - 1};
    return inside_quotes(token.of(line)) == name;
  });
}

// The element {"key":name,"value":...}: its value is that of "value".
std::optional<Place> find_attribute(std::string_view line, std::size_t list, std::string_view name) {
  std::optional<Place> value;
  std::optional<Place> found = find_item(line, list, [&](const Place& element) {
    const std::optional<Place> key = find_member(line, element.value, "key");
    const std::optional<std::size_t> key_end = key ? end_of_value(line, key->value) : std::nullopt;
    if (!key_end || inside_quotes(Span{key->value, *key_end}.of(line)) != name) return false;
    value = find_member(line, element.value, "value");
    return value.has_value();
  });
  if (found) found->value = value->value;
  return found;
}

std::optional<Place> find(std::string_view line, std::string_view path) {
  std::optional<Place> found = Place{};
  for (JsonSteps steps(path); found && !steps.empty();) {
    const JsonStep step = steps.take();
    const std::size_t at = found->value;
    if (step.kind == JsonStep::Kind::kMember) {
      found = find_member(line, at, step.name);
    } else if (line[at] != '[') {
      found.reset();
    } else if (step.kind == JsonStep::Kind::kAttribute) {
      found = find_attribute(line, at, step.name);
    } else {
      found = find_item(line, at, [](const Place&) { return true; });
    }
  }
  return found;
}

// From `begin` to the end of the value at `value`; nothing where the line ends with it or in it.
std::optional<Span> up_to_end(std::string_view line, std::size_t begin, std::size_t value) {
  const std::optional<std::size_t> end = end_of_value(line, value);
  if (!end || *end >= line.size()) return std::nullopt;
  return Span{begin, *end};
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

  if (const auto extra = find(out, how.whole); extra && excess() > 0) {
    if (const auto item = up_to_end(out, extra->item, extra->last)) cut(with_its_comma(out, *item));
  }
  for (const JsonPath& path : how.texts) {
    if (excess() == 0) break;
    const auto text = find(out, path);
    const auto token = text ? up_to_end(out, text->value, text->value) : std::nullopt;
    if (token && is_string_token(token->of(out))) cut(end_of_text(out, *token, excess()));
  }
  for (const JsonCut::Mark& mark : how.marks) {
    const auto holder = find(out, mark.in);
    if (!holder) continue;
    const std::size_t first = holder->value + 1;
    if (out[first] == '"' || out[first] == '{') out.insert(first, mark.text);
  }
  out.shrink_to_fit();  // it waits beside others, and what was cut may have been megabytes
  return out;
}

}  // namespace sessionlogd
