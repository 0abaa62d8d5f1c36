// A line of the output of any bytes, in every format: what is taken for ours stays so, and the same event, when it is
// cut.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sinks/file/output_line.h"

namespace {

using namespace sessionlogd;

void require(bool holds) {
  if (!holds) std::abort();
}

// A line and what must be readable behind it, in a block of its own: the sanitizer sees a read too far.
class Line {
 public:
  explicit Line(std::string_view text) : padded_(text), size_(text.size()) {
    padded_.append(OutputLineReader::kPadding, 'x');
    padded_.shrink_to_fit();
    event_ = reader_.read(padded_.data(), size_);
  }
  const std::optional<Delivered>& event() const { return event_; }
  const Format& format() const { return reader_.format(); }

 private:
  std::string padded_;
  std::size_t size_;
  OutputLineReader reader_;
  std::optional<Delivered> event_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Line line(text);
  if (!line.event() || text.find("runcated") != text.npos) return 0;  // nothing is cut twice
  require(OutputLineReader::may_begin(text));
  for (const std::size_t limit : {std::size_t{0}, size / 2, size - 1}) {
    const std::string cut = line.format().cut(text, limit);
    const Line again(cut);
    require(again.event().has_value());
    require(again.event()->session_key == line.event()->session_key);
    require(again.event()->entry_key == line.event()->entry_key);
    require(again.event()->hash == line.event()->hash);
    require(again.event()->source_id == line.event()->source_id);
    require(again.event()->session_id == line.event()->session_id);
  }
  return 0;
}
