#include "daemon/service/log.h"

#include <fmt/core.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION  // every line would name this file
#include <systemd/sd-journal.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/log_line.h"
#include "core/base/printable.h"
#include "daemon/service/journal_fields.h"
#include "daemon/service/line_groups.h"

namespace sessionlogd {
namespace {

// Where journald takes fields. libsystemd drops what it is given without a word when nobody listens there.
constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

// systemd names the device and inode of the stream it gave us: stderr may have been redirected since.
bool stderr_is_journal() {
  const char* named = std::getenv("JOURNAL_STREAM");
  struct stat file {};
  if (named == nullptr || fstat(STDERR_FILENO, &file) != 0) return false;
  return fmt::format("{}:{}", file.st_dev, file.st_ino) == named;
}

bool journal_takes_fields() { return ::access(kJournalSocket, W_OK) == 0; }

int syslog_priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
      return 2;
    case spdlog::level::err:
      return 3;
    case spdlog::level::warn:
      return 4;
    case spdlog::level::info:
      return 6;
    default:
      return 7;
  }
}

bool send_to_journal(int priority, std::string_view line) {
  std::vector<std::string> fields = journal_fields(priority, about_the_line(), line);
  fields.emplace_back("SYSLOG_IDENTIFIER=sessionlogd");
  std::vector<iovec> parts;
  for (std::string& field : fields) parts.push_back({field.data(), field.size()});
  return ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

// Without a lock: each line is one message.
class JournalSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    send_to_journal(syslog_priority(message.level), {message.payload.data(), message.payload.size()});
  }
  void flush_() override {}
};

// For a journal that is reached through stderr only.
class PriorityFlag : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    out.push_back('<');
    out.push_back(static_cast<char>('0' + syslog_priority(message.level)));
    out.push_back('>');
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<PriorityFlag>(); }
};

// Of the process, as its log is.
struct GroupedLines {
  std::mutex mutex;
  LineGroups groups;

  // What is asked for in detail is shown in detail, and what is lost of a session is said of each.
  bool may_pass(const spdlog::details::log_msg& message) {
    const About& about = about_the_line();
    const bool is_of_a_source = !about.source.empty() && about.session.empty();
    if (!is_of_a_source || message.level < spdlog::level::info) return true;
    std::string_view text(message.payload.data(), message.payload.size());
    text.remove_prefix(std::min(text.size(), text.find(' ') + 1));  // "source=..."
    const std::lock_guard lock(mutex);
    return groups.may_pass(message.level, about.source, text, SteadyClock::now());
  }
} grouped_lines;

// The one place where lines leave for eyes: each is made printable for whatever listens, however it came to be.
class PrintableLogger : public spdlog::logger {
 public:
  using spdlog::logger::logger;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (!grouped_lines.may_pass(message)) return;
    const std::string line = printable({message.payload.data(), message.payload.size()});
    spdlog::details::log_msg clean = message;
    clean.payload = spdlog::string_view_t(line.data(), line.size());
    spdlog::logger::sink_it_(clean);
  }
};

std::shared_ptr<spdlog::logger> make_logger() {
  if (stderr_is_journal() && journal_takes_fields())
    return std::make_shared<PrintableLogger>("sessionlogd", std::make_shared<JournalSink>());
  auto logger = std::make_shared<PrintableLogger>("sessionlogd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  if (stderr_is_journal()) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<PriorityFlag>('*').set_pattern("%*%v");
    logger->set_formatter(std::move(formatter));
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-5l %v");
  }
  return logger;
}

}  // namespace

void start_log(std::string_view level) {
  spdlog::set_default_logger(make_logger());
  set_log_level(level);
}

void say_grouped_lines(SteadyTime now) {
  std::vector<LineGroups::Line> lines;
  {
    const std::lock_guard lock(grouped_lines.mutex);
    lines = grouped_lines.groups.take_ended(now);
  }
  for (const LineGroups::Line& line : lines)
    spdlog::log(static_cast<spdlog::level::level_enum>(line.level), "{}", line.text);
}

void set_log_level(std::string_view level) {
  spdlog::set_level(spdlog::level::from_str(level == "error" ? "err" : std::string(level)));
}

void print_error(std::string_view text) {
  const int priority = syslog_priority(spdlog::level::err);
  if (stderr_is_journal() && journal_takes_fields() && send_to_journal(priority, text)) return;
  // The lines of a text are ours, what stands in them may be a file's.
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    fmt::print(stderr, "{}\n", printable(text.substr(at, end - at)));
    at = end + 1;
  }
}

}  // namespace sessionlogd
