// Reads texts out of a line that is one JSON object. The one place that parses JSON in the sinks.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace sessionlogd {

// Where a text stands: {"object":{"name":"text"}}, or {"name":"text"} where `object` is "".
struct JsonPath {
  std::string_view object, name;
};

class JsonLine {
 public:
  JsonLine();
  ~JsonLine();

  // Whether the line is one object that begins with it and is valid to its last byte, UTF-8 and every value included.
  // texts[i] is then what stands at paths[i]: nullopt where nothing or no string does, the first of several. Paths of
  // one object stand side by side. `line` has LineReader::kPadding readable bytes behind it; the texts hold until the
  // next call or until the line's bytes change.
  bool read(std::string_view line, std::span<const JsonPath> paths, std::span<std::optional<std::string_view>> texts);

  // Gives back what a huge line took.
  void shrink();

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace sessionlogd
