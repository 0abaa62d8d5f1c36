#include "sinks/output_line.h"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/json_text.h"
#include "core/timestamp.h"

namespace sessionlogd {

namespace ondemand = simdjson::ondemand;

struct OutputLineReader::Parser {
  ondemand::parser json;
};

namespace {

static_assert(OutputLineReader::kPadding >= simdjson::SIMDJSON_PADDING);

// Our lines nest three deep; a deeper one is somebody else's, and walking it must not cost us the stack.
constexpr int kMaxDepth = 64;

struct Fields {
  std::optional<std::string_view> id, hash, kind, source, source_id, session_id, log_time, timestamp;
};

// On Demand checks only what is touched: everything is. Errors are thrown as simdjson::simdjson_error. Objects and
// arrays are named before they are iterated: value() of a temporary refers to it, and a range-based for does not keep
// it alive.
void walk(ondemand::value value, int depth) {
  if (depth > kMaxDepth) throw simdjson::simdjson_error(simdjson::DEPTH_ERROR);
  switch (value.type().value()) {
    case ondemand::json_type::object: {
      ondemand::object object = value.get_object().value();
      for (auto field : object) {
        (void)field.unescaped_key().value();
        walk(field.value().value(), depth + 1);
      }
      break;
    }
    case ondemand::json_type::array: {
      ondemand::array array = value.get_array().value();
      for (auto element : array) walk(element.value(), depth + 1);
      break;
    }
    case ondemand::json_type::string:
      (void)value.get_string().value();
      break;
    case ondemand::json_type::number:
      (void)value.get_number().value();
      break;
    case ondemand::json_type::boolean:
      (void)value.get_bool().value();
      break;
    case ondemand::json_type::null:
      if (!value.is_null()) throw simdjson::simdjson_error(simdjson::N_ATOM_ERROR);
      break;
  }
}

// Of several fields with one name the first counts.
void take_string(ondemand::value value, std::optional<std::string_view>& into) {
  if (into || value.type().value() != ondemand::json_type::string) return walk(value, 2);
  into = value.get_string().value();
}

template <class Take>
void walk_object(ondemand::value value, Take take) {
  if (value.type().value() != ondemand::json_type::object) return walk(value, 1);
  ondemand::object object = value.get_object().value();
  for (auto field : object) {
    const std::string_view key = field.unescaped_key().value();
    take(key, field.value().value());
  }
}

void take_event(std::string_view key, ondemand::value value, Fields& fields) {
  if (key == "id") return take_string(value, fields.id);
  if (key == "hash") return take_string(value, fields.hash);
  if (key == "kind") return take_string(value, fields.kind);
  walk(value, 2);
}

void take_sessionlog(std::string_view key, ondemand::value value, Fields& fields) {
  if (key == "source") return take_string(value, fields.source);
  if (key == "source_id") return take_string(value, fields.source_id);
  if (key == "session_id") return take_string(value, fields.session_id);
  if (key == "log_time") return take_string(value, fields.log_time);
  walk(value, 2);
}

Fields read_fields(ondemand::document& document) {
  Fields fields;
  ondemand::object object = document.get_object().value();
  for (auto field : object) {
    const std::string_view key = field.unescaped_key().value();
    ondemand::value value = field.value().value();
    if (key == "event") {
      walk_object(value, [&](std::string_view k, ondemand::value v) { take_event(k, v, fields); });
    } else if (key == "sessionlog") {
      walk_object(value, [&](std::string_view k, ondemand::value v) { take_sessionlog(k, v, fields); });
    } else if (key == "@timestamp") {
      take_string(value, fields.timestamp);
    } else {
      walk(value, 1);
    }
  }
  // Past the last structural character there must be nothing.
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    throw simdjson::simdjson_error(simdjson::TRAILING_CONTENT);
  }
  return fields;
}

template <class Number>
bool read_hex(std::string_view digits, Number& into) {
  if (digits.size() != 2 * sizeof(Number)) return false;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, into, 16);
  return read.ec == std::errc{} && read.ptr == end;
}

// Without a log time, and of an entry that could not be read, @timestamp is when it was read.
std::optional<Instant> log_time_of(const Fields& fields) {
  if (!fields.log_time || !fields.timestamp || fields.kind != "event") return std::nullopt;
  const auto read = parse_rfc3339(*fields.timestamp);
  if (!read || !read->zoned) return std::nullopt;
  return read->instant;
}

std::optional<Delivered> interpret(const Fields& fields) {
  if (!fields.id || fields.id->size() != 32 || !fields.hash || !fields.session_id) return std::nullopt;
  if (!fields.source_id && !fields.source) return std::nullopt;
  Delivered event{};
  event.source_id = fields.source_id ? *fields.source_id : *fields.source;
  event.session_id = *fields.session_id;
  const bool read = read_hex(fields.id->substr(0, 16), event.session_key) &&
                    read_hex(fields.id->substr(16), event.entry_key) && read_hex(*fields.hash, event.hash);
  if (!read) return std::nullopt;
  event.log_time = log_time_of(fields);
  return event;
}

}  // namespace

OutputLineReader::OutputLineReader() : parser_(std::make_unique<Parser>()) {}
OutputLineReader::~OutputLineReader() = default;

std::optional<Delivered> OutputLineReader::read(const char* line, std::size_t size) {
  if (size == 0 || line[0] != '{') return std::nullopt;
  try {
    ondemand::document document = parser_->json.iterate(line, size, size + kPadding).value();
    return interpret(read_fields(document));
  } catch (const simdjson::simdjson_error&) {
    return std::nullopt;
  }
}

void OutputLineReader::shrink() { parser_ = std::make_unique<Parser>(); }

bool is_text(std::string_view bytes) {
  return std::ranges::all_of(bytes, [](unsigned char c) { return c >= 0x20 ? c != 0x7F : c == '\n' || c == '\t'; });
}

bool is_of_another_program(std::string_view line) {
  if (line.empty() || line.front() == ' ' || !is_text(line)) return false;
  return line.front() != '{' || is_json(line);
}

}  // namespace sessionlogd
