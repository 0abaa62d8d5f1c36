#include "sinks/kafka/kafka_event.h"

#include "core/base/hex.h"
#include "sinks/formats/event_words.h"

namespace sessionlogd {
namespace {

constexpr const char* kId = "event.id";
constexpr const char* kHash = "event.hash";
constexpr const char* kTime = "event.time";
constexpr const char* kFormat = "event.format";
constexpr const char* kContentType = "content-type";

}  // namespace

void KafkaEventWriter::set_session(const Batch& batch) {
  key_ = batch.source_id + '/' + batch.session_id;
  id_.clear();
  append_hex(id_, batch.session_key);
  session_digits_ = id_.size();
}

void KafkaEventWriter::set_event(const EventRef& event) {
  id_.resize(session_digits_);
  append_hex(id_, event.entry_key);
  hash_.clear();
  append_hex(hash_, event.hash);
  headers_ = {{kId, id_}, {kHash, hash_}};
  if (event.log_time) {
    time_.clear();
    append_rfc3339(time_, *event.log_time);
    headers_.emplace_back(kTime, time_);
  }
  headers_.emplace_back(kFormat, format_.name);
  headers_.emplace_back(kContentType, format_.content_type);
}

KafkaEventReader::KafkaEventReader() : before_formats_(format_named(kFirstFormat).reader()) {}

std::optional<Delivered> KafkaEventReader::read(std::string_view key, std::string_view value, const HeaderOf& header) {
  const std::size_t slash = key.find('/');
  if (slash == key.npos || slash == 0) return std::nullopt;
  const std::string_view id = header(kId).value_or(""), hash = header(kHash).value_or("");
  Delivered event{};
  event.source_id = key.substr(0, slash);
  event.session_id = key.substr(slash + 1);
  if (!read_identity(id, hash, event)) return std::nullopt;
  event.log_time = header(kFormat) ? read_time(header(kTime).value_or("")) : time_in(value);
  return event;
}

std::optional<Instant> KafkaEventReader::time_in(std::string_view value) {
  line_.assign(value);
  line_.resize(value.size() + LineReader::kPadding);
  const std::optional<WrittenEvent> event = before_formats_->read(std::string_view(line_).substr(0, value.size()));
  return event ? event->entry.log_time : std::nullopt;
}

}  // namespace sessionlogd
