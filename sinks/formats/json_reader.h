// Reads events of a format back in which a line is one JSON object.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "sinks/formats/formats.h"
#include "sinks/formats/json_line.h"

namespace sessionlogd {

// What a line says, each at a place of its own.
enum class JsonText : std::size_t {
  kWriter,  // who wrote the line
  kId,
  kHash,
  kKind,  // "event" of all but what could not be read
  kChange,
  kTime,
  kExactTime,  // where kTime cannot say it
  kCreated,
  kStart,
  kSourceName,
  kSourceId,  // or else its name
  kSessionId,
  kMessage,
  kFault,  // stands for the message where there is one
  kLogTime,
  kStatus,
  kDuration,
  kResourceId,
  kExtra,
  kOriginal,
  kTexts
};

struct JsonPlaces {
  // Nothing stands at "".
  JsonPath& operator[](JsonText text) { return paths[static_cast<std::size_t>(text)]; }

  std::vector<JsonPath> paths = std::vector<JsonPath>(static_cast<std::size_t>(JsonText::kTexts));
};

class JsonReader : public LineReader {
 public:
  // Ours has a "writer" at JsonText::kWriter, where there is such a place.
  JsonReader(const JsonPlaces& places, std::string_view writer);

  std::optional<WrittenEvent> read(std::string_view line) override;
  void shrink() override { json_.shrink(); }

 protected:
  bool has(JsonText which) const { return texts_[static_cast<std::size_t>(which)].has_value(); }
  std::string_view text(JsonText which) const {
    return texts_[static_cast<std::size_t>(which)].value_or(std::string_view());
  }

 private:
  // Of an event that has a log time.
  virtual std::optional<Instant> time() const;
  // When it was read, as RFC 3339.
  virtual std::string_view created();

  const std::string_view writer_;
  JsonLine json_;
  std::array<std::optional<std::string_view>, static_cast<std::size_t>(JsonText::kTexts)> texts_;
};

}  // namespace sessionlogd
