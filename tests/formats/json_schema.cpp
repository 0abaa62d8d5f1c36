#include "tests/formats/json_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <stdexcept>

namespace sessionlogd::test {
namespace {

namespace dom = simdjson::dom;

bool is_of_type(std::string_view type, dom::element value) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_bool();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "null") return value.is_null();
  throw std::runtime_error("no type of JSON: " + std::string(type));
}

bool matches(std::string_view pattern, std::string_view text) {
  static std::map<std::string, std::regex, std::less<>> known;
  auto found = known.find(pattern);
  if (found == known.end()) found = known.emplace(pattern, std::regex(std::string(pattern))).first;
  return std::regex_search(text.begin(), text.end(), found->second);
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

class Judge {
 public:
  explicit Judge(dom::element root) : root_(root) {}

  // What each keyword of the schema says of the value. Of a value of another type than a keyword is about it says
  // nothing.
  void judge(const std::string& path, dom::element schema, dom::element value) {
    const dom::object keywords = schema;
    for (const auto [keyword, rule] : keywords) {
      const auto check = kChecks.find(keyword);
      if (check == kChecks.end())
        throw std::runtime_error("an unknown keyword of JSON Schema: " + std::string(keyword));
      if (check->second != nullptr) (this->*check->second)({path, schema, rule, value});
    }
  }

  std::vector<std::string> complaints() && { return std::move(complaints_); }

 private:
  struct Case {
    const std::string& path;
    dom::element schema, rule, value;
  };
  using Check = void (Judge::*)(const Case&);
  static const std::map<std::string_view, Check> kChecks;

  template <class... Args>
  void complain(const std::string& path, fmt::format_string<Args...> text, Args&&... args) {
    complaints_.push_back(path + ": " + fmt::format(text, std::forward<Args>(args)...));
  }

  void reference(const Case& c) {
    const std::string_view to = c.rule;
    if (!to.starts_with('#')) throw std::runtime_error("a reference to another document: " + std::string(to));
    judge(c.path, root_.at_pointer(to.substr(1)), c.value);
  }

  void type(const Case& c) {
    dom::array several;
    const bool fits = c.rule.get(several) ? is_of_type(c.rule, c.value)
                                          : std::any_of(several.begin(), several.end(),
                                                        [&](dom::element type) { return is_of_type(type, c.value); });
    if (!fits) complain(c.path, "is no {}", simdjson::minify(c.rule));
  }

  void constant(const Case& c) {
    if (simdjson::minify(c.rule) != simdjson::minify(c.value)) complain(c.path, "is not {}", simdjson::minify(c.rule));
  }

  void one_of_these(const Case& c) {
    const dom::array words = c.rule;
    if (std::none_of(words.begin(), words.end(),
                     [&](dom::element word) { return simdjson::minify(word) == simdjson::minify(c.value); }))
      complain(c.path, "may not be {}", simdjson::minify(c.value));
  }

  void required(const Case& c) {
    dom::object members;
    if (c.value.get(members)) return;
    const dom::array names = c.rule;
    for (const dom::element name : names) {
      if (members[std::string_view(name)].error()) complain(c.path, "{} is missing", std::string_view(name));
    }
  }

  void properties(const Case& c) {
    dom::object members;
    if (c.value.get(members)) return;
    const dom::object known = c.rule;
    std::set<std::string_view> seen;
    for (const auto [name, member] : members) {
      const std::string path = fmt::format("{}{}{}", c.path, c.path.empty() ? "" : ".", name);
      if (!seen.insert(name).second) complain(path, "stands twice");
      dom::element schema;
      if (!known[name].get(schema)) judge(path, schema, member);
    }
  }

  void additional_properties(const Case& c) {
    dom::object members;
    if (c.value.get(members) || bool(c.rule)) return;
    const dom::object known = c.schema["properties"];
    for (const auto [name, member] : members) {
      if (known[name].error()) complain(c.path, "{} is no field", name);
    }
  }

  void items(const Case& c) {
    dom::array elements;
    if (c.value.get(elements)) return;
    std::size_t at = 0;
    for (const dom::element element : elements) judge(fmt::format("{}[{}]", c.path, at++), c.rule, element);
  }

  void any_of(const Case& c) {
    const dom::array schemas = c.rule;
    for (const dom::element schema : schemas) {
      Judge one(root_);
      one.judge(c.path, schema, c.value);
      if (one.complaints_.empty()) return;
    }
    complain(c.path, "is none of {}", simdjson::minify(c.rule));
  }

  void pattern(const Case& c) {
    std::string_view text;
    if (!c.value.get(text) && !matches(c.rule, text)) complain(c.path, "is not as {}", std::string_view(c.rule));
  }

  void max_length(const Case& c) {
    std::string_view text;
    if (!c.value.get(text) && characters(text) > std::uint64_t(c.rule)) complain(c.path, "is too long");
  }

  void minimum(const Case& c) {
    double number = 0;
    if (!c.value.get(number) && number < double(c.rule)) complain(c.path, "is too small");
  }

  void maximum(const Case& c) {
    double number = 0;
    if (!c.value.get(number) && number > double(c.rule)) complain(c.path, "is too large");
  }

  dom::element root_;
  std::vector<std::string> complaints_;
};

// Those that say nothing of a value have no check.
const std::map<std::string_view, Judge::Check> Judge::kChecks = {
    {"$schema", nullptr},
    {"$id", nullptr},
    {"$defs", nullptr},
    {"title", nullptr},
    {"deprecated", nullptr},
    {"$ref", &Judge::reference},
    {"type", &Judge::type},
    {"const", &Judge::constant},
    {"enum", &Judge::one_of_these},
    {"required", &Judge::required},
    {"properties", &Judge::properties},
    {"additionalProperties", &Judge::additional_properties},
    {"items", &Judge::items},
    {"anyOf", &Judge::any_of},
    {"pattern", &Judge::pattern},
    {"maxLength", &Judge::max_length},
    {"minimum", &Judge::minimum},
    {"maximum", &Judge::maximum},
};

}  // namespace

JsonSchema::JsonSchema(std::string_view text) {
  const simdjson::padded_string padded(text);
  schema_ = parser_.parse(padded);
}

std::vector<std::string> JsonSchema::complaints(dom::element value) const {
  Judge judge(schema_);
  judge.judge("", schema_, value);
  return std::move(judge).complaints();
}

}  // namespace sessionlogd::test
