#include "config/form.h"

#include "config/units.h"

namespace sessionlogd {
namespace {

TomlValue toml_integer(std::uint64_t number) {
  TomlValue out;
  out.value = static_cast<std::int64_t>(number);
  return out;
}

// A form whose rule needs to know nothing.
template <class T, class Write>
Form<T> form_of(Rule<T> rule, const Write& write) {
  return {[rule = std::move(rule)](const TomlValue& value, const ReadContext&) { return rule(value); },
          [write](const T& value, WrittenFor) { return std::optional(write(value)); }};
}

// In a file, an empty text is one that is not there; the same of lists.
template <class T>
Form<T> form_of_filled(T (*rule)(const TomlValue&)) {
  return {[rule](const TomlValue& value, const ReadContext&) { return rule(value); },
          [](const T& value, WrittenFor where) {
            return value.empty() && where == WrittenFor::kFile ? std::nullopt : std::optional(toml(value));
          }};
}

}  // namespace

TomlValue toml(std::string_view text) {
  TomlValue out;
  out.value = std::string(text);
  return out;
}

TomlValue toml(const std::vector<std::string>& texts) {
  TomlArray array;
  for (const std::string& text : texts) array.push_back(toml(text));
  TomlValue out;
  out.value = std::move(array);
  return out;
}

Form<bool> yes_or_no() {
  return form_of<bool>(boolean, [](bool value) {
    TomlValue out;
    out.value = value;
    return out;
  });
}

Form<std::uint64_t> integers(std::uint64_t least, std::uint64_t most) {
  return form_of<std::uint64_t>(integer_between(least, most), toml_integer);
}

Form<std::chrono::milliseconds> durations(std::chrono::milliseconds least, std::chrono::milliseconds most) {
  return form_of<std::chrono::milliseconds>(duration_between(least, most),
                                            [](std::chrono::milliseconds span) { return toml(format_duration(span)); });
}

Form<std::size_t> sizes(std::uint64_t least, std::uint64_t most) {
  return form_of<std::size_t>(size_between(least, most), [](std::size_t bytes) { return toml(format_size(bytes)); });
}

Form<double> rates() {
  return form_of<double>(rate, [](double per_second) { return toml(format_rate(per_second)); });
}

Form<std::string> texts_by(std::string (*rule)(const TomlValue&)) { return form_of_filled(rule); }

Form<std::vector<std::string>> lists_by(std::vector<std::string> (*rule)(const TomlValue&)) {
  return form_of_filled(rule);
}

Form<std::optional<Secret>> secrets_by(Secret (*opened)(const TomlValue&)) {
  return {[opened](const TomlValue& value, const ReadContext& context) -> std::optional<Secret> {
            return context.opens_files() ? opened(value) : secret_reference(value);
          },
          [](const std::optional<Secret>& secret, WrittenFor) {
            return secret ? std::optional(toml(secret->reference())) : std::nullopt;
          }};
}

}  // namespace sessionlogd
