// Writes JSON: commas and quotes are its concern, and every text is valid whatever is in it.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/timestamp.h"
#include "core/base/visible_json.h"

namespace sessionlogd {

class JsonWriter {
 public:
  JsonWriter& begin(char bracket) {
    separate();
    text_ += bracket;
    first_ = true;
    return *this;
  }
  JsonWriter& end(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
  }
  JsonWriter& key(std::string_view name) {
    separate();
    append_visible_json_string(text_, name);
    text_ += ':';
    first_ = true;
    return *this;
  }

  JsonWriter& value(std::string_view value) {
    separate();
    append_visible_json_string(text_, value);
    return *this;
  }
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool value) { return literal(value ? "true" : "false"); }
  JsonWriter& value(std::integral auto value) {
    separate();
    const fmt::format_int digits(value);
    text_.append(digits.data(), digits.size());
    return *this;
  }
  JsonWriter& value(double value) {
    separate();
    fmt::format_to(std::back_inserter(text_), "{:.3f}", value);
    return *this;
  }
  JsonWriter& value(Instant at) {
    separate();
    text_ += '"';
    append_rfc3339(text_, at);
    text_ += '"';
    return *this;
  }
  // null when there is none.
  template <class T>
  JsonWriter& value(const std::optional<T>& optional) {
    return optional ? value(*optional) : literal("null");
  }

  template <class T>
  JsonWriter& member(std::string_view name, const T& member) {
    return key(name).value(member);
  }

  std::string take() { return std::move(text_); }

 private:
  void separate() {
    if (!first_) text_ += ',';
    first_ = false;
  }
  JsonWriter& literal(std::string_view text) {
    separate();
    text_ += text;
    return *this;
  }

  std::string text_;
  bool first_ = true;
};

}  // namespace sessionlogd
