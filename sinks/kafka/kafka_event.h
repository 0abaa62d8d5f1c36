// An event as a record in Kafka: what tells which entry it is stands in its key and headers, never in its value. So a
// record is recognised whatever its format, also one of a version to come.
//
//   key           source id/session_id: a source id has no "/"
//   event.id      session_key and entry_key, 32 hex digits
//   event.hash    8 hex digits
//   event.time    the log time, RFC 3339; absent where Delivered has none
//   event.format  name of the format; absent in what the versions before wrote, which is ECS
//   content-type  of the format
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/state/batch.h"
#include "core/state/sink.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {

using KafkaHeader = std::pair<const char*, std::string_view>;  // name and value

// Spells key and headers; used again for each event.
class KafkaEventWriter {
 public:
  explicit KafkaEventWriter(const Format& format) : format_(format) {}

  // Of the events that follow.
  void set_session(const Batch& batch);

  void set_event(const EventRef& event);

  // Views that hold until the next set_session() or set_event().
  std::string_view key() const { return key_; }
  const std::vector<KafkaHeader>& headers() const { return headers_; }

 private:
  const Format& format_;
  std::string key_, id_, hash_, time_;
  std::size_t session_digits_ = 0;  // of id_
  std::vector<KafkaHeader> headers_;
};

// The reader of lines looks a little beyond their ends, which a record does not allow.
class KafkaEventReader {
 public:
  KafkaEventReader();

  using HeaderOf = std::function<std::optional<std::string_view>(const char* name)>;

  // nullopt: it is not one that we wrote. `value` is looked at only where the record has no event.format: its log time
  // stands nowhere else. The views in the result are those of `key`.
  std::optional<Delivered> read(std::string_view key, std::string_view value, const HeaderOf& header);

 private:
  std::optional<Instant> time_in(std::string_view value);

  const std::unique_ptr<LineReader> before_formats_;
  std::string line_;
};

}  // namespace sessionlogd
