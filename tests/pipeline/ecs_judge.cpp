#include "tests/pipeline/ecs_judge.h"

#include <fmt/core.h>
#include <simdjson.h>

#include <algorithm>
#include <set>

#include "core/base/timestamp.h"
#include "tests/support/data_file.h"

namespace sessionlogd::test {
namespace {

namespace dom = simdjson::dom;

// What we may write beside ECS; all of them strings.
const std::set<std::string, std::less<>> kOurs = {
    "sessionlog.record",       "sessionlog.source",       "sessionlog.source_id",         "sessionlog.session_id",
    "sessionlog.session_type", "sessionlog.session_name", "sessionlog.parent_session_id", "sessionlog.log_time",
    "sessionlog.status",       "sessionlog.duration",     "sessionlog.resource_id",       "sessionlog.extra",
    "sessionlog.change"};

const std::set<std::string, std::less<>> kRequired = {
    "@timestamp",       "ecs.version",       "log.level",         "agent.type",        "agent.version",
    "agent.name",       "event.id",          "event.hash",        "event.kind",        "event.module",
    "event.dataset",    "event.outcome",     "event.created",     "observer.vendor",   "observer.product",
    "observer.name",    "observer.hostname", "sessionlog.record", "sessionlog.source", "sessionlog.session_id",
    "sessionlog.change"};

bool fits(std::string_view type, dom::element value) {
  std::string_view text;
  if (type == "long") return value.is_int64();
  if (value.get(text)) return false;
  if (type == "date") {
    const auto time = parse_rfc3339(text);
    return time && time->zoned && text.back() == 'Z';
  }
  return type == "keyword" || type == "constant_keyword" || type == "match_only_text" || type == "wildcard";
}

// One line's walk: flattens its objects into dotted names.
class Walk {
 public:
  explicit Walk(const std::map<std::string, EcsJudge::Field, std::less<>>& fields) : fields_(fields) {}

  void object(const std::string& path, dom::object members) {
    for (const auto [key, value] : members) {
      const std::string name = path.empty() ? std::string(key) : path + "." + std::string(key);
      if (!seen_.insert(name).second) complain("{} stands twice", name);
      dom::object inner;
      if (key.find('.') != key.npos && path != "labels") complain("{}: a dot in a name", name);
      if (path == "labels") {
        if (!value.is_string()) complain("{} is no string", name);
      } else if (value.get(inner) == simdjson::SUCCESS) {
        object(name, inner);
      } else {
        leaf(name, value);
      }
    }
  }

  std::vector<std::string> finish() {
    for (const std::string& name : kRequired) {
      if (!seen_.contains(name)) complain("{} is missing", name);
    }
    return std::move(complaints_);
  }

 private:
  void leaf(const std::string& name, dom::element value) {
    if (kOurs.contains(name)) {
      if (!value.is_string()) complain("{} is no string", name);
      return;
    }
    const auto field = fields_.find(name);
    if (field == fields_.end()) return complain("{} is no field of ECS", name);
    if (!fits(field->second.type, value)) return complain("{} is no {}", name, field->second.type);
    const auto& allowed = field->second.allowed;
    if (!allowed.empty() && std::ranges::find(allowed, std::string(std::string_view(value))) == allowed.end()) {
      complain("{} may not be {}", name, std::string(std::string_view(value)));
    }
  }

  template <class... Args>
  void complain(fmt::format_string<Args...> text, Args&&... args) {
    complaints_.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  const std::map<std::string, EcsJudge::Field, std::less<>>& fields_;
  std::set<std::string, std::less<>> seen_;
  std::vector<std::string> complaints_;
};

}  // namespace

EcsJudge::EcsJudge() {
  dom::parser parser;
  const simdjson::padded_string text(read_data_file("specs/ecs-8.11.0-fields.json"));
  const dom::object list = parser.parse(text)["fields"];
  for (const auto [name, described] : list) {
    Field& field = fields_[std::string(name)];
    field.type = std::string(std::string_view(described["type"]));
    dom::array allowed;
    if (described["allowed"].get(allowed)) continue;
    for (const dom::element word : allowed) field.allowed.emplace_back(std::string_view(word));
  }
}

std::vector<std::string> EcsJudge::complaints(std::string_view line) const {
  if (line.find_first_of("\r\n") != line.npos) return {"more than one line"};
  dom::parser parser;
  dom::object event;
  const simdjson::padded_string text(line);
  if (parser.parse(text).get(event)) return {"no JSON object"};
  Walk walk(fields_);
  walk.object("", event);
  return walk.finish();
}

}  // namespace sessionlogd::test
