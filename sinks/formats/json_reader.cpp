#include "sinks/formats/json_reader.h"

#include "sinks/formats/event_words.h"

namespace sessionlogd {

JsonReader::JsonReader(const JsonPlaces& places, std::string_view writer) : writer_(writer), json_(places.paths) {}

std::optional<WrittenEvent> JsonReader::read(std::string_view line) {
  using enum JsonText;
  if (!json_.read(line, texts_) || text(kWriter) != writer_) return std::nullopt;
  if (!has(kSessionId) || !(has(kSourceId) || has(kSourceName))) return std::nullopt;
  WrittenEvent event;
  if (!read_identity(text(kId), text(kHash), event.entry)) return std::nullopt;
  event.entry.source_id = text(has(kSourceId) ? kSourceId : kSourceName);
  event.entry.session_id = text(kSessionId);
  // Without a log time, and of an entry that could not be read, the time is when it was read.
  if (has(kLogTime) && text(kKind) == "event") event.entry.log_time = time();
  event.created = created();
  event.entry.read_at = read_time(event.created);
  event.change = change_of(text(kChange));
  event.source_name = text(kSourceName);
  if (!has(kFault)) event.message = text(kMessage);
  event.log_time = text(kLogTime);
  event.status = text(kStatus);
  event.duration = text(kDuration);
  event.resource_id = text(kResourceId);
  event.extra = text(kExtra);
  event.original = text(kOriginal);
  event.start = text(kStart);
  return event;
}

std::optional<Instant> JsonReader::time() const { return read_time(text(JsonText::kTime)); }
std::string_view JsonReader::created() { return text(JsonText::kCreated); }

}  // namespace sessionlogd
