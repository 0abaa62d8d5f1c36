#include "daemon/log.h"

#include <fmt/core.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace sessionlogd {
namespace {

// systemd names the device and inode of the stream it gave us: stderr may have been redirected since.
bool stderr_is_journal() {
  const char* named = std::getenv("JOURNAL_STREAM");
  struct stat file {};
  if (named == nullptr || fstat(STDERR_FILENO, &file) != 0) return false;
  return fmt::format("{}:{}", file.st_dev, file.st_ino) == named;
}

char syslog_priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
      return '2';
    case spdlog::level::err:
      return '3';
    case spdlog::level::warn:
      return '4';
    case spdlog::level::info:
      return '6';
    default:
      return '7';
  }
}

class PriorityFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    out.push_back('<');
    out.push_back(syslog_priority(message.level));
    out.push_back('>');
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<PriorityFlag>(); }
};

}  // namespace

void start_log(std::string_view level) {
  auto logger = std::make_shared<spdlog::logger>("sessionlogd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (stderr_is_journal()) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<PriorityFlag>('*').set_pattern("%*%v");
    logger->set_formatter(std::move(formatter));
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-5l %v");
  }
  spdlog::set_default_logger(std::move(logger));
  set_log_level(level);
}

void set_log_level(std::string_view level) {
  spdlog::set_level(spdlog::level::from_str(level == "error" ? "err" : std::string(level)));
}

}  // namespace sessionlogd
