// The formats that events are written in, in one table. Whatever is particular to a format stands in its own pair of
// files in sinks/formats; nobody else asks which format it is.
//
//   configuration ─▶ name      sinks ─▶ encoder, cut, content type
//   recovery, verify, state rebuild, the bench's check ─▶ reader, of every format, whatever is configured now
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/format_rules.h"
#include "config/settings.h"
#include "core/entries/event.h"
#include "core/state/sink.h"

namespace sessionlogd {

// What a line of the output says. Texts are as Event has them; "" = absent.
struct WrittenEvent {
  Delivered entry{};                // all that recovery needs
  std::optional<EventKind> change;  // nullopt: the line does not say
  std::string_view source_name;
  std::string_view message, log_time, status, duration, resource_id, extra, original;
  std::string_view created, start;  // RFC 3339, to the millisecond where the format has no more
};

// Reads lines of one format back.
class LineReader {
 public:
  // What must be readable behind a line, whatever it holds.
  static constexpr std::size_t kPadding = 64;

  virtual ~LineReader() = default;

  // `line` is without its "\n"; kPadding bytes behind it are readable. nullopt: it is not one that we wrote, whole to
  // its last byte: no beginning of a line of ours is one, and none with a hole in it. The views in the result hold
  // until the next call or until the line's bytes change.
  virtual std::optional<WrittenEvent> read(std::string_view line) = 0;

  // Gives back what a huge line took.
  virtual void shrink() {}
};

// What no format can do without: a table entry that leaves it out does not compile.
template <class Function>
class Needed {
 public:
  template <std::convertible_to<Function> From>
  constexpr Needed(From function) : function_(function) {}
  Needed(std::nullptr_t) = delete;
  template <class... Arguments>
  auto operator()(Arguments&&... arguments) const {
    return function_(std::forward<Arguments>(arguments)...);
  }

 private:
  Function function_;
};

struct Format {
  std::string_view name;          // in the configuration, in the state of a file sink, and in Kafka's event.format
  std::string_view content_type;  // a header in Kafka
  std::string_view opening;       // what every line of it begins with

  // For the events of one source. `host` is this host's name, `version` the daemon's.
  Needed<std::unique_ptr<Encoder> (*)(const SourceSettings& source, const SinkSettings& sink, std::string_view host,
                                      std::string_view version)>
      encoder;

  Needed<std::unique_ptr<LineReader> (*)()> reader;

  // `line` without its "\n" and longer than `limit`: what is least missed goes first, never what identifies the event,
  // and the length that it had stands in what is left. That is valid and ours; a line whose other fields alone are
  // longer than `limit` is still longer.
  Needed<std::string (*)(std::string_view line, std::size_t limit)> cut;

  // As FormatRules has them.
  bool has_facility = false, for_syslog = false;
  std::size_t longest_label = SIZE_MAX;
};

// All of them; the first is the default.
std::span<const Format* const> formats();

const Format* find_format(std::string_view name);  // nullptr: no such format

// Throws std::logic_error when there is none: config/load checks what an operator asks for.
const Format& format_named(std::string_view name);

std::vector<FormatRules> format_rules();  // as the configuration asks for them

// What was written before the format was kept beside it.
inline constexpr std::string_view kFirstFormat = "ecs";

}  // namespace sessionlogd
