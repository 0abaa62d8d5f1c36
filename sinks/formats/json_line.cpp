#include "sinks/formats/json_line.h"

#include <simdjson.h>

#include <algorithm>

#include "sinks/formats/formats.h"
#include "sinks/formats/json_steps.h"

namespace sessionlogd {
namespace {

namespace ondemand = simdjson::ondemand;

static_assert(LineReader::kPadding >= simdjson::SIMDJSON_PADDING);

// Our lines nest a few levels deep; a deeper one is somebody else's, and walking it must not cost us the stack.
constexpr int kMaxDepth = 64;

// What is looked for in a value: its own text, and what stands in it.
struct Wanted {
  static constexpr std::size_t kNone = SIZE_MAX;

  JsonStep step;             // from the value around it
  std::size_t text = kNone;  // which of the texts it is
  std::vector<Wanted> within{};

  Wanted& add(JsonStep next) {
    const auto found = std::ranges::find(within, next, &Wanted::step);
    return found != within.end() ? *found : within.emplace_back(Wanted{.step = next});
  }

  const Wanted* find(JsonStep next) const {
    const auto found = std::ranges::find(within, next, &Wanted::step);
    return found != within.end() ? &*found : nullptr;
  }
};

const Wanted kNothing;

// Goes through a value to its end, since On Demand checks only what is touched. Errors are thrown as
// simdjson::simdjson_error. Objects and arrays are named before they are iterated: value() of a temporary refers to it,
// and a range-based for does not keep it alive.
class Walk {
 public:
  explicit Walk(std::span<std::optional<std::string_view>> texts) : texts_(texts) {}

  template <class Object>
  void members(Object& object, const Wanted& wanted, int depth) {
    for (auto field : object) {
      const std::string_view name = field.unescaped_key().value();
      value(field.value().value(), wanted.find({JsonStep::Kind::kMember, name}), depth + 1);
    }
  }

 private:
  void value(ondemand::value value, const Wanted* found, int depth) {
    if (depth > kMaxDepth) throw simdjson::simdjson_error(simdjson::DEPTH_ERROR);
    const Wanted& wanted = found != nullptr ? *found : kNothing;
    switch (value.type().value()) {
      case ondemand::json_type::object: {
        ondemand::object object = value.get_object().value();
        members(object, wanted, depth);
        break;
      }
      case ondemand::json_type::array: {
        ondemand::array array = value.get_array().value();
        elements(array, wanted, depth);
        break;
      }
      case ondemand::json_type::string:
        take(value.get_string().value(), wanted);
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

  void elements(ondemand::array& array, const Wanted& wanted, int depth) {
    const Wanted* only = wanted.find({JsonStep::Kind::kOnlyElement, {}});
    bool first = true;
    for (auto element : array) {
      if (only != nullptr && !first) throw simdjson::simdjson_error(simdjson::INDEX_OUT_OF_BOUNDS);
      first = false;
      ondemand::value inner = element.value();
      if (only == nullptr && !wanted.within.empty() && inner.type().value() == ondemand::json_type::object) {
        ondemand::object object = inner.get_object().value();
        attribute(object, wanted, depth + 1);
      } else {
        value(inner, only, depth + 1);
      }
    }
  }

  // {"key":"a.b","value":...}, in this order.
  void attribute(ondemand::object& object, const Wanted& list, int depth) {
    const Wanted* wanted = nullptr;
    for (auto field : object) {
      const std::string_view name = field.unescaped_key().value();
      ondemand::value inner = field.value().value();
      if (name == "key" && inner.type().value() == ondemand::json_type::string) {
        wanted = list.find({JsonStep::Kind::kAttribute, inner.get_string().value()});
      } else {
        value(inner, name == "value" ? wanted : nullptr, depth + 1);
      }
    }
  }

  void take(std::string_view text, const Wanted& wanted) {
    if (wanted.text != Wanted::kNone && !texts_[wanted.text]) texts_[wanted.text] = text;
  }

  std::span<std::optional<std::string_view>> texts_;
};

}  // namespace

struct JsonLine::Parser {
  std::vector<JsonPath> paths;  // `wanted` has views of them
  Wanted wanted;
  std::unique_ptr<ondemand::parser> json = std::make_unique<ondemand::parser>();
};

JsonLine::JsonLine(const std::vector<JsonPath>& paths) : parser_(std::make_unique<Parser>()) {
  parser_->paths = paths;
  for (std::size_t text = 0; text < paths.size(); ++text) {
    if (paths[text].empty()) continue;
    Wanted* at = &parser_->wanted;
    for (JsonSteps rest(parser_->paths[text]); !rest.empty();) at = &at->add(rest.take());
    at->text = text;
  }
}
JsonLine::~JsonLine() = default;

bool JsonLine::read(std::string_view line, std::span<std::optional<std::string_view>> texts) {
  if (!line.starts_with('{')) return false;
  std::ranges::fill(texts, std::nullopt);
  try {
    ondemand::document document =
        parser_->json->iterate(line.data(), line.size(), line.size() + LineReader::kPadding).value();
    ondemand::object object = document.get_object().value();
    Walk(texts).members(object, parser_->wanted, 0);
    // Past the last structural character there must be nothing.
    return document.current_location().error() == simdjson::OUT_OF_BOUNDS;
  } catch (const simdjson::simdjson_error&) {
    return false;
  }
}

void JsonLine::shrink() { parser_->json = std::make_unique<ondemand::parser>(); }

}  // namespace sessionlogd
