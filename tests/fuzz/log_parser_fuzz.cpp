// A response of any bytes: what is cut from it lies inside it, both walks read the same, and so does the one that knows
// its entries already; what is emitted is a line that recovery believes, and reading it twice emits nothing.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json_text.h"
#include "core/entries/log_reader.h"
#include "sinks/file/output_line.h"
#include "sinks/formats/ecs.h"
#include "tests/support/built_in.h"

namespace {

using namespace sessionlogd;

constexpr std::string_view kSession = "38";

void require(bool holds) {
  if (!holds) std::abort();
}

Body body_of(std::string_view text) {
  Body body;
  body.append(text);
  return body;
}

bool inside(std::string_view token, std::string_view text) {
  const std::less_equal<> not_behind;
  return token.empty() ||
         (not_behind(text.data(), token.data()) && not_behind(token.data() + token.size(), text.data() + text.size()));
}

// The same response with a member in front whose name is no UTF-8: simdjson refuses it, so the cursor walks it.
std::string for_the_cursor(std::string_view text) {
  const std::size_t open = text.find('{');
  if (open == text.npos) return std::string(text);
  const std::size_t next = skip_white_space(text, open + 1);
  const bool empty = next < text.size() && text[next] == '}';
  return std::string(text.substr(0, open + 1))
      .append(empty ? "\"\xFF\":0" : "\"\xFF\":0,")
      .append(text.substr(open + 1));
}

void check_same(const SessionLog& a, const SessionLog& b) {
  require(a.entries.size() == b.entries.size() && a.fault.empty() == b.fault.empty());
  for (std::size_t i = 0; i < a.entries.size(); ++i) {
    const Entry &x = a.entries[i], &y = b.entries[i];
    require(x.raw == y.raw && x.base == y.base && x.hash == y.hash && x.fault == y.fault && x.final == y.final);
    for (std::size_t field = 0; field < kEntryFields; ++field) require(x.field(field) == y.field(field));
  }
}

void check_walks(const Dialect& dialect, std::string_view text) {
  LogParser parser, other;
  const Body body = body_of(text);
  const auto log = parser.parse(dialect, body, kSession, 1);
  const Body cursor_body = body_of(for_the_cursor(text));
  const auto by_cursor = other.parse(dialect, cursor_body, kSession, 1);
  KnownEntries known(1u << 16);
  LogParser knowing;
  for (int time = 0; time < 2; ++time) {
    const auto by_bytes = knowing.parse(dialect, body, kSession, 1, {}, {&known, 1});
    require(by_bytes.has_error() == log.has_error());
    if (log.has_error()) continue;
    for (std::size_t i = 0; i < (*by_bytes)->entries.size(); ++i) knowing.complete(i);
    check_same(**log, **by_bytes);
  }
  // A fault before the first member is met in one of the two only.
  if (log.has_error() || by_cursor.has_error())
    return require(log.has_error() == by_cursor.has_error() || text.find('{') == text.npos);
  check_same(**log, **by_cursor);
  for (const Entry& entry : (*log)->entries) {
    require(inside(entry.raw, body.text()));
    for (std::size_t field = 0; field < kEntryFields; ++field) require(inside(entry.field(field), entry.raw));
  }
}

void check_batch(const Batch& batch) {
  static OutputLineReader reader;
  const std::string padded = batch.events + std::string(OutputLineReader::kPadding, '\0');
  std::size_t at = 0;
  for (const EventRef& ref : batch.index) {
    require(padded.find('\n', at) == at + ref.size - 1);
    const auto read = reader.read(padded.data() + at, ref.size - 1);
    require(read && read->entry_key == ref.entry_key && read->hash == ref.hash &&
            read->session_key == batch.session_key);
    at += ref.size;
  }
  require(at == batch.events.size());
}

void check_events(const SourceSettings& settings, std::string_view text) {
  EcsEncoder encoder(settings, "host", "0");
  BatchQueue queue(std::size_t{1} << 40);
  const SourceFormat format{settings.id, settings.dialect.get(), ZoneRules(settings.time_zone), true, false, &encoder,
                            &queue};
  LogReader reader;
  SessionState session;
  session.key = 1;
  session.info = SessionInfo{.id = kSession};
  const Body body = body_of(text);
  const auto first = reader.read(format, session, body, false);
  if (first.has_error()) return;
  require(first->events() == first->entries);
  if (first->entries > 0) {
    std::vector<Batch> batches;
    queue.take(batches, 0, std::chrono::milliseconds{0});
    for (const Batch& batch : batches) check_batch(batch);
  }
  const auto again = reader.read(format, session, body, false);
  require(again.has_value() && again->events() == 0);
}

SourceSettings source_of(std::string_view dialect) {
  SourceSettings settings;
  settings.name = settings.id = "source";
  settings.dialect = test::built_in_dialect(dialect);
  settings.time_zone.fixed_offset = std::chrono::minutes{-330};
  return settings;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::array kSources{source_of("veeam-aws"), source_of("veeam-azure")};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const SourceSettings& source : kSources) {
    check_walks(*source.dialect, text);
    check_events(source, text);
  }
  return 0;
}
