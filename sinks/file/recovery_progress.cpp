#include "sinks/file/recovery_progress.h"
#include <fmt/format.h>

#include <utility>

#include "core/base/log_line.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kTellEvery{100};
constexpr std::chrono::seconds kSayEvery{3};

}  // namespace

StateProgress::StateProgress(std::string sink, std::function<void(std::string)> tell)
    : sink_(std::move(sink)), tell_(std::move(tell)), say_at_(std::chrono::steady_clock::now() + kSayEvery) {}

void StateProgress::works(std::string_view work) {
  const auto now = std::chrono::steady_clock::now();
  if (work == work_ && now < tell_at_) return;
  work_ = work;
  tell_at_ = now + kTellEvery;
  tell_(work_);
  if (now < say_at_) return;
  say_at_ = now + kSayEvery;
  log_info({.sink = sink_}, "still {}", work_);
}

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
