#include "sinks/kafka/kafka_log.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace sessionlogd {

void KafkaLog::write(int level, std::string_view facility, std::string_view line) {
  constexpr int kError = 3;
  std::string clean = without_secrets(line, secrets_);
  spdlog::debug("librdkafka {}: {}", facility, clean);
  if (level > kError) return;
  const std::lock_guard lock(mutex_);
  last_fault_ = std::move(clean);
}

std::string KafkaLog::take_last_fault() {
  const std::lock_guard lock(mutex_);
  return std::exchange(last_fault_, {});
}

std::string without_secrets(std::string_view line, const std::vector<std::string>& secrets) {
  std::string clean(line);
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (std::size_t at = clean.find(secret); at != clean.npos; at = clean.find(secret, at + 3))
      clean.replace(at, secret.size(), "***");
  }
  return clean;
}

}  // namespace sessionlogd
