// Judges JSON by a JSON Schema (2020-12), as far as the schemas in tests/data/specs go: a keyword that it does not know
// is refused, so none is passed over.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>
#include <vector>

namespace sessionlogd::test {

class JsonSchema {
 public:
  // Throws std::runtime_error when the text is no schema of the keywords that are known.
  explicit JsonSchema(std::string_view text);

  // What is wrong with a value, nothing when it is well. A member that stands twice is wrong, too.
  std::vector<std::string> complaints(simdjson::dom::element value) const;

 private:
  simdjson::dom::parser parser_;
  simdjson::dom::element schema_;
};

}  // namespace sessionlogd::test
