#include "core/base/log_line.h"

#include <spdlog/spdlog.h>

#include "core/base/printable.h"

namespace sessionlogd {
namespace {

thread_local About current;

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

bool is_logged(LogLevel level) { return spdlog::should_log(level_of(level)); }

void log_line(LogLevel level, const About& about, std::string_view text) {
  std::string line;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) line.append(key).append(printable_word(value)) += ' ';
  };
  add("source=", about.source);
  add("session=", about.session);
  if (!about.sink.empty()) line.append("sink=").append(printable(about.sink)) += ' ';  // a path, as it is typed
  line.append(text);
  const struct Named {
    explicit Named(const About& named) { current = named; }
    ~Named() { current = {}; }
  } named(about);
  spdlog::log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
}

const About& about_the_line() { return current; }

}  // namespace sessionlogd
