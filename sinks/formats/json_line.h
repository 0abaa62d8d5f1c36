// Reads texts out of a line that is one JSON object. The one place that parses JSON in the sinks.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sessionlogd {

// Where a value stands in an object: names with "/" between them, as "event/id". Names in brackets are of a list: "[]"
// is its only element, "[a.b]" what the element {"key":"a.b","value":...} has as its value.
using JsonPath = std::string;

class JsonLine {
 public:
  // The texts at these paths are looked for; at "" there is none.
  explicit JsonLine(const std::vector<JsonPath>& paths);
  ~JsonLine();

  // Whether the line is one object that begins with it and is valid to its last byte, UTF-8 and every value included,
  // and where a path says "[]" no list has more elements. texts[i] is then what stands at paths[i]: nullopt where
  // nothing or no string does, the first of several. `line` has LineReader::kPadding readable bytes behind it; the
  // texts hold until the next call or until the line's bytes change.
  bool read(std::string_view line, std::span<std::optional<std::string_view>> texts);

  // Gives back what a huge line took.
  void shrink();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace sessionlogd
