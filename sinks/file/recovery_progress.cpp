#include "sinks/file/recovery_progress.h"
#include <fmt/format.h>

#include <utility>

#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kSayEvery{3};

}  // namespace

RecoveryProgress::RecoveryProgress(std::string sink, std::uint64_t total_bytes, std::function<void(std::string)> tell)
    : sink_(std::move(sink)),
      total_(total_bytes),
      tell_(std::move(tell)),
      say_at_(std::chrono::steady_clock::now() + kSayEvery) {}

void RecoveryProgress::read(std::uint64_t bytes) {
  done_ += bytes;
  const std::string how_far = fmt::format("{} of {} MiB", done_ >> 20, total_ >> 20);
  if (tell_) tell_(how_far);
  const auto now = std::chrono::steady_clock::now();
  if (now < say_at_) return;
  say_at_ = now + kSayEvery;
  log_info({.sink = sink_}, "reading the output back: {}", how_far);
}

}  // namespace sessionlogd
