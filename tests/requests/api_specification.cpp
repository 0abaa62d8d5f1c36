#include "tests/requests/api_specification.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <regex>
#include <utility>

namespace sessionlogd::test {
namespace {

namespace dom = simdjson::dom;
using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return text;
}

std::string text_of(dom::element described, std::string_view name) {
  std::string_view text;
  return described[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// What "$ref" leads to, or the element itself.
dom::element resolved(dom::element root, dom::element described) {
  std::string_view reference;
  while (described["$ref"].get(reference) == simdjson::SUCCESS) described = root.at_pointer(reference.substr(1));
  return described;
}

// `described` is a parameter of Swagger 2, or the schema of one of OpenAPI 3.
ApiSpecification::Parameter read_parameter(dom::element root, dom::element described) {
  described = resolved(root, described);
  ApiSpecification::Parameter parameter;
  if (text_of(described, "type") == "array") {
    parameter = read_parameter(root, described["items"]);
    parameter.array = true;
    return parameter;
  }
  parameter.type = text_of(described, "type");
  parameter.format = text_of(described, "format");
  std::int64_t minimum = 0;
  if (described["minimum"].get(minimum) == simdjson::SUCCESS) parameter.minimum = minimum;
  dom::array allowed;
  if (described["enum"].get(allowed) == simdjson::SUCCESS) {
    for (const dom::element word : allowed) parameter.allowed.emplace_back(std::string_view(word));
  }
  return parameter;
}

void read_parameters(dom::element root, dom::array list, ApiSpecification::Operation& operation) {
  for (const dom::element listed : list) {
    const dom::element described = resolved(root, listed);
    dom::element schema = described;
    if (described["schema"].get(schema)) schema = described;
    ApiSpecification::Parameter parameter = read_parameter(root, schema);
    bool required = false;
    parameter.required = described["required"].get(required) == simdjson::SUCCESS && required;
    const std::string name = text_of(described, "name"), in = text_of(described, "in");
    if (in == "query") operation.query[name] = parameter;
    if (in == "header") operation.headers[lower(name)] = parameter;
    if (in == "formData") operation.form[name] = parameter;
  }
}

// OpenAPI 3 describes a form as the properties of a schema.
void read_form(dom::element root, dom::element described, ApiSpecification::Operation& operation) {
  dom::element schema;
  if (described["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"].get(schema)) return;
  const dom::object properties = resolved(root, schema)["properties"];
  for (const auto [name, property] : properties) operation.form[std::string(name)] = read_parameter(root, property);
}

std::string decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3) {
      plain += static_cast<char>(byte);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

Pairs split(std::string_view text) {
  Pairs pairs;
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const std::size_t equal = pair.find('=');
    pairs.emplace_back(decoded(pair.substr(0, equal)), equal == pair.npos ? "" : decoded(pair.substr(equal + 1)));
  }
  return pairs;
}

bool fits(const ApiSpecification::Parameter& parameter, const std::string& value) {
  if (!parameter.allowed.empty() && std::ranges::find(parameter.allowed, value) == parameter.allowed.end())
    return false;
  if (parameter.type == "boolean") return value == "true" || value == "false";
  if (parameter.type == "integer") {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool in_range = parameter.format != "int32" || (number >= INT32_MIN && number <= INT32_MAX);
    return error == std::errc{} && end == value.data() + value.size() && in_range &&
           number >= parameter.minimum.value_or(number);
  }
  // Azure takes nothing but this form, and AWS takes it too.
  static const std::regex kUtcSeconds(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)");
  if (parameter.format == "date-time") return std::regex_match(value, kUtcSeconds);
  return true;
}

void judge(std::string_view where, const ApiSpecification::Parameters& declared, const Pairs& given,
           std::vector<std::string>& complaints) {
  std::map<std::string, int> counts;
  for (const auto& [name, value] : given) {
    const auto parameter = declared.find(name);
    if (parameter == declared.end()) {
      complaints.push_back(fmt::format("{} {} is not declared", where, name));
    } else if (!fits(parameter->second, value)) {
      complaints.push_back(fmt::format("{} {} may not be \"{}\"", where, name, value));
    } else if (++counts[name] == 2 && !parameter->second.array) {
      complaints.push_back(fmt::format("{} {} stands twice", where, name));
    }
  }
  for (const auto& [name, parameter] : declared) {
    if (parameter.required && !counts.contains(name))
      complaints.push_back(fmt::format("{} {} is missing", where, name));
  }
}

std::string without_version(const std::string& path) {
  return std::regex_replace(path, std::regex("^/api/v[0-9.]+/"), "/api/{version}/");
}

}  // namespace

ApiSpecification::ApiSpecification(std::string_view json) {
  dom::parser parser;
  const simdjson::padded_string text(json);
  const dom::element root = parser.parse(text);
  const dom::object paths = root["paths"];
  for (const auto [path, methods] : paths) {
    const dom::object by_method = methods;
    for (const auto [method, described] : by_method) {
      Operation& operation = paths_[without_version(std::string(path))][std::string(method)];
      dom::array list;
      if (described["parameters"].get(list) == simdjson::SUCCESS) read_parameters(root, list, operation);
      read_form(root, described, operation);
    }
  }
}

// A path's {placeholders} stand for one segment that is not empty.
const ApiSpecification::Operation* ApiSpecification::find(std::string_view method, std::string_view path) const {
  const std::string wanted = without_version(std::string(path));
  for (const auto& [known, methods] : paths_) {
    std::string pattern = std::regex_replace(known, std::regex(R"(\{version\})"), "VERSION");
    pattern = std::regex_replace(pattern, std::regex(R"(\{[^}]*\})"), "[^/]+");
    pattern = std::regex_replace(pattern, std::regex("VERSION"), R"(\{version\})");
    if (!std::regex_match(wanted, std::regex(pattern))) continue;
    const auto found = methods.find(lower(std::string(method)));
    if (found != methods.end()) return &found->second;
  }
  return nullptr;
}

std::vector<std::string> ApiSpecification::complaints(const RecordedRequest& request) const {
  const std::size_t mark = request.target.find('?');
  const std::string path = request.target.substr(0, mark);
  const Operation* operation = find(request.method, path);
  if (operation == nullptr) return {fmt::format("no {} {}", request.method, path)};

  std::vector<std::string> complaints;
  judge("query", operation->query, split(mark == path.npos ? "" : std::string_view(request.target).substr(mark + 1)),
        complaints);
  Pairs headers;
  for (const auto& [name, value] : request.headers) {
    if (operation->headers.contains(name)) headers.emplace_back(name, value);  // HTTP's own headers need no declaration
  }
  judge("header", operation->headers, headers, complaints);
  judge("form", operation->form, split(request.body), complaints);
  const auto type = request.headers.find("content-type");
  if (!request.body.empty() && (type == request.headers.end() || type->second != "application/x-www-form-urlencoded")) {
    complaints.push_back("the body is not declared as a form");
  }
  return complaints;
}

}  // namespace sessionlogd::test
