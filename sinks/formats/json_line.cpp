#include "sinks/formats/json_line.h"

#include <simdjson.h>

#include <algorithm>

#include "sinks/formats/formats.h"

namespace sessionlogd {

namespace ondemand = simdjson::ondemand;

struct JsonLine::Parser {
  ondemand::parser json;
};

namespace {

static_assert(LineReader::kPadding >= simdjson::SIMDJSON_PADDING);

// Our lines nest a few levels deep; a deeper one is somebody else's, and walking it must not cost us the stack.
constexpr int kMaxDepth = 64;

// On Demand checks only what is touched: everything is. Errors are thrown as simdjson::simdjson_error. Objects and
// arrays are named before they are iterated: value() of a temporary refers to it, and a range-based for does not keep
// it alive.
void walk(ondemand::value value, int depth) {
  if (depth > kMaxDepth) throw simdjson::simdjson_error(simdjson::DEPTH_ERROR);
  switch (value.type().value()) {
    case ondemand::json_type::object: {
      ondemand::object object = value.get_object().value();
      for (auto field : object) {
        (void)field.unescaped_key().value();
        walk(field.value().value(), depth + 1);
      }
      break;
    }
    case ondemand::json_type::array: {
      ondemand::array array = value.get_array().value();
      for (auto element : array) walk(element.value(), depth + 1);
      break;
    }
    case ondemand::json_type::string:
      (void)value.get_string().value();
      break;
    case ondemand::json_type::number:
      (void)value.get_number().value();
      break;
    case ondemand::json_type::boolean:
      (void)value.get_bool().value();
      break;
    case ondemand::json_type::null:
      if (!value.is_null()) throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
      break;
  }
}

// The paths of one object, and their texts.
struct Wanted {
  std::span<const JsonPath> paths;
  std::span<std::optional<std::string_view>> texts;

  Wanted of(std::string_view object) const {
    const auto begin = std::ranges::find(paths, object, &JsonPath::object);
    const auto end = std::find_if(begin, paths.end(), [&](const JsonPath& path) { return path.object != object; });
    const auto first = static_cast<std::size_t>(begin - paths.begin()), count = static_cast<std::size_t>(end - begin);
    return {paths.subspan(first, count), texts.subspan(first, count)};
  }

  void take(std::string_view name, ondemand::value value, int depth) const {
    const auto path = std::ranges::find(paths, name, &JsonPath::name);
    if (path == paths.end()) return walk(value, depth);
    std::optional<std::string_view>& text = texts[static_cast<std::size_t>(path - paths.begin())];
    if (text || value.type().value() != ondemand::json_type::string) return walk(value, depth);
    text = value.get_string().value();
  }
};

void take_object(const Wanted& wanted, ondemand::value value) {
  if (value.type().value() != ondemand::json_type::object) return walk(value, 1);
  ondemand::object object = value.get_object().value();
  for (auto field : object) {
    const std::string_view name = field.unescaped_key().value();
    wanted.take(name, field.value().value(), 2);
  }
}

void take_line(const Wanted& all, ondemand::document& document) {
  const Wanted at_top = all.of("");
  ondemand::object object = document.get_object().value();
  for (auto field : object) {
    const std::string_view name = field.unescaped_key().value();
    ondemand::value value = field.value().value();
    const Wanted within = all.of(name);
    if (!name.empty() && !within.paths.empty()) {
      take_object(within, value);
    } else {
      at_top.take(name, value, 1);
    }
  }
  // Past the last structural character there must be nothing.
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    throw simdjson::simdjson_error(simdjson::TRAILING_CONTENT);
  }
}

}  // namespace

JsonLine::JsonLine() : parser_(std::make_unique<Parser>()) {}
JsonLine::~JsonLine() = default;

bool JsonLine::read(std::string_view line, std::span<const JsonPath> paths,
                    std::span<std::optional<std::string_view>> texts) {
  if (!line.starts_with('{')) return false;
  std::ranges::fill(texts, std::nullopt);
  try {
    ondemand::document document =
        parser_->json.iterate(line.data(), line.size(), line.size() + LineReader::kPadding).value();
    take_line({paths, texts}, document);
    return true;
  } catch (const simdjson::simdjson_error&) {
    return false;
  }
}

void JsonLine::shrink() { parser_ = std::make_unique<Parser>(); }

}  // namespace sessionlogd
