#include "sinks/recovery_progress.h"

#include <spdlog/spdlog.h>

#include <utility>

namespace sessionlogd {
namespace {

constexpr std::chrono::seconds kSayEvery{3};

}  // namespace

RecoveryProgress::RecoveryProgress(std::string sink, std::uint64_t total_bytes, std::function<void()> tell)
    : sink_(std::move(sink)),
      total_(total_bytes),
      tell_(std::move(tell)),
      say_at_(std::chrono::steady_clock::now() + kSayEvery) {}

void RecoveryProgress::read(std::uint64_t bytes) {
  done_ += bytes;
  if (tell_) tell_();
  const auto now = std::chrono::steady_clock::now();
  if (now < say_at_) return;
  say_at_ = now + kSayEvery;
  spdlog::info("sink={} reading the output back: {} of {} MiB", sink_, done_ >> 20, total_ >> 20);
}

}  // namespace sessionlogd
