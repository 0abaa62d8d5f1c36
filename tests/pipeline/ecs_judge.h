// Judges a line of the output by the field list of the Elastic Common Schema 8.11: names, JSON types, allowed values.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sessionlogd::test {

class EcsJudge {
 public:
  EcsJudge();  // reads tests/data/specs/ecs-8.11.0-fields.json

  // What is wrong with a line, nothing when it is well.
  std::vector<std::string> complaints(std::string_view line) const;

  struct Field {
    std::string type;
    std::vector<std::string> allowed;  // empty = any
  };

 private:
  std::map<std::string, Field, std::less<>> fields_;
};

}  // namespace sessionlogd::test
