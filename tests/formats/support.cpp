#include "tests/formats/support.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "tests/support/built_in.h"

namespace sessionlogd::test {
namespace {

// Kept for ever: events hold views.
std::string_view kept(std::string text) {
  static std::set<std::string> all;
  return *all.insert(std::move(text)).first;
}

const SessionInfo& session_of(std::uint64_t number) {
  static std::map<std::uint64_t, SessionInfo> all;
  SessionInfo& session = all[number];
  session.id = kept(fmt::format("session-{}", number));
  return session;
}

}  // namespace

SourceSettings source() {
  SourceSettings settings;
  settings.id = "src";
  settings.name = "renamed";
  settings.dialect = built_in_dialect("veeam-aws");
  settings.host = "10.0.0.5";
  settings.labels = {{"site", "fra\"1\""}};
  return settings;
}

Event bare_event_of(EventKind kind, std::uint64_t session, std::uint64_t entry) {
  Event event;
  event.kind = kind;
  event.session_key = session;
  event.entry_key = entry;
  event.hash = static_cast<std::uint32_t>(entry + 1);
  event.timestamp = {1'795'293'672 + static_cast<std::int64_t>(entry), 123'456'789};
  event.created = {1'795'300'000, 5'000'000};
  event.session = &session_of(session);
  return event;
}

Event event_of(EventKind kind, std::uint64_t session, std::uint64_t entry, std::string_view message) {
  Event event = bare_event_of(kind, session, entry);
  if (kind == EventKind::kGap || kind == EventKind::kError) event.fault = "it was not \"read\"";
  if (kind == EventKind::kGap) return event;
  event.original = R"({"raw":"\ttext | = ]"})";
  if (kind == EventKind::kError) return event;
  event.has_message = true;
  event.message = message;
  event.log_time = "2026-11-21T20:41:12.123456789";
  event.status = "Running\\With\nWarning";
  event.duration = "00:00:07.5";
  event.resource_id = "r\t1 é€😀";
  event.extra = R"({"more":[1,2]})";
  event.start = Instant{1'795'293'000, 0};
  event.end = event.timestamp;
  event.duration_ns = 7'500'000'000;
  event.level = Level::kWarning;
  event.outcome = Outcome::kSuccess;
  return event;
}

std::string line_in(const Format& format, const Event& event) {
  std::string text;
  LineBuffer line(text);
  format.encoder(source(), SinkSettings{}, "host-1", "0.1.0")->append(event, line);
  line.flush();
  return text;
}

ReadLine::ReadLine(const Format& format, std::string_view line) : padded_(line), reader_(format.reader()) {
  padded_.append(LineReader::kPadding, 'x');
  event_ = reader_->read(std::string_view(padded_).substr(0, line.size()));
}

Batch batch_in(const Format& format, std::uint64_t session, std::uint64_t first, std::uint64_t count) {
  Batch batch;
  batch.source_id = "src";
  batch.session_id = session_of(session).id;
  batch.session_key = session;
  for (std::uint64_t entry = first; entry < first + count; ++entry) {
    const Event event = event_of(EventKind::kNew, session, entry);
    const std::string line = line_in(format, event);
    batch.events += line;
    batch.index.push_back({static_cast<std::uint32_t>(line.size()), entry, event.hash, event.delivered_log_time()});
  }
  batch.records.push_back({session, StateRecord::kSessionPart, std::to_string(first + count)});
  return batch;
}

}  // namespace sessionlogd::test
