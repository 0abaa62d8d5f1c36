// How a value is read from a configuration, and how it is written there: one form for both, so that what is shown can
// be put into a file again.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/read_context.h"
#include "config/secret.h"
#include "config/toml_reader.h"
#include "config/value_rules.h"

namespace sessionlogd {

// /status shows a key that takes a number or a word always as text, so that it has one type there.
enum class WrittenFor { kFile, kStatus };

template <class T>
struct Form {
  // Throws ValueError or SecretError.
  std::function<T(const TomlValue&, const ReadContext&)> read;

  // nullopt: there is nothing to write.
  std::function<std::optional<TomlValue>(const T&, WrittenFor)> write;
};

TomlValue toml(std::string_view text);
TomlValue toml(const std::vector<std::string>& texts);

Form<bool> yes_or_no();
Form<std::uint64_t> integers(std::uint64_t least, std::uint64_t most);
Form<std::chrono::milliseconds> durations(std::chrono::milliseconds least, std::chrono::milliseconds most);
Form<std::size_t> sizes(std::uint64_t least, std::uint64_t most);  // in bytes
Form<double> rates();                                              // per second

// By a rule that leaves the text as it is.
Form<std::string> texts_by(std::string (*rule)(const TomlValue&));
Form<std::vector<std::string>> lists_by(std::vector<std::string> (*rule)(const TomlValue&));

// `opened` where it must be readable now; only its place is ever written.
Form<std::optional<Secret>> secrets_by(Secret (*opened)(const TomlValue&));

// One of a few words.
template <class T>
Form<T> words(std::vector<std::pair<std::string_view, T>> meanings) {
  return {[rule = word<T>(meanings)](const TomlValue& value, const ReadContext&) { return rule(value); },
          [meanings](const T& value, WrittenFor) -> std::optional<TomlValue> {
            for (const auto& [name, meaning] : meanings) {
              if (meaning == value) return toml(name);
            }
            return std::nullopt;
          }};
}

// A form, or a word that stands for none at all.
template <class T>
Form<std::optional<T>> or_word(std::string_view none, Form<T> form) {
  return {[none, read = form.read](const TomlValue& value, const ReadContext& context) -> std::optional<T> {
            const auto* found = std::get_if<std::string>(&value.value);
            if (found != nullptr && *found == none) return std::nullopt;
            try {
              return read(value, context);
            } catch (const ValueError& error) {
              throw ValueError(error.what() + (", or " + in_quotes(none)));
            }
          },
          [none, write = form.write](const std::optional<T>& value, WrittenFor where) -> std::optional<TomlValue> {
            if (!value) return toml(none);
            std::optional<TomlValue> written = write(*value, where);
            const auto* number = written ? std::get_if<std::int64_t>(&written->value) : nullptr;
            return number != nullptr && where == WrittenFor::kStatus ? toml(std::to_string(*number)) : written;
          }};
}

}  // namespace sessionlogd
