// Where everything in a JSON text begins: simdjson's first stage, which also proves that the text is UTF-8, that every
// string is closed, and that none holds a control character. The grammar is left to whoever walks the index.
//
// The first stage alone, because On Demand looks only at what it is asked for: what it stepped over would have to be
// checked again.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace sessionlogd {

class JsonIndex {
 public:
  JsonIndex();
  ~JsonIndex();
  JsonIndex& operator=(JsonIndex&&) noexcept;

  // The position of each brace, bracket, colon and comma outside of strings, and of the first byte of each string,
  // number and word, in order; behind the last one text.size(). nullptr: the text is none of that. Valid until the next
  // call. Takes four bytes for each of the largest text.
  const std::uint32_t* of(std::string_view text);

 private:
  struct Stage;
  std::unique_ptr<Stage> stage_;
};

}  // namespace sessionlogd
