// librdkafka's log: into our own at debug level, with secrets taken out. What it last said of a fault is kept, since
// its errors only say that something timed out and its log says why.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sessionlogd {

class KafkaLog {
 public:
  explicit KafkaLog(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {}

  // Any thread. `level` is syslog's: 3 and less are faults.
  void write(int level, std::string_view facility, std::string_view line);

  // "" when nothing was wrong since the last call.
  std::string take_last_fault();

 private:
  const std::vector<std::string> secrets_;
  std::mutex mutex_;
  std::string last_fault_;
};

// `line` with every occurrence of a secret replaced.
std::string without_secrets(std::string_view line, const std::vector<std::string>& secrets);

}  // namespace sessionlogd
