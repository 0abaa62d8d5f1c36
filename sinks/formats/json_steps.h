// A JsonPath, step by step.
#pragma once

#include <string_view>

namespace sessionlogd {

struct JsonStep {
  enum class Kind { kMember, kOnlyElement, kAttribute } kind = Kind::kMember;
  std::string_view name;

  bool operator==(const JsonStep&) const = default;
};

class JsonSteps {
 public:
  explicit JsonSteps(std::string_view path) : rest_(path) {}

  bool empty() const { return rest_.empty(); }

  JsonStep take() {
    const std::string_view name = rest_.substr(0, rest_.find('/'));
    rest_.remove_prefix(name.size() == rest_.size() ? name.size() : name.size() + 1);
    if (name == "[]") return {JsonStep::Kind::kOnlyElement, {}};
    if (name.starts_with('[')) return {JsonStep::Kind::kAttribute, name.substr(1, name.size() - 2)};
    return {JsonStep::Kind::kMember, name};
  }

 private:
  std::string_view rest_;
};

}  // namespace sessionlogd
