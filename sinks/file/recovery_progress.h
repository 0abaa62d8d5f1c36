// Says every few seconds how far recovery has come, and lets the daemon breathe in between.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sessionlogd {

// While the state is checked, brought up to date and read; nobody knows how long that takes.
class StateProgress {
 public:
  // `tell` is called ten times a second at most, and at each new work, with "checking the state"; what it throws ends
  // recovery.
  StateProgress(std::string sink, std::function<void(std::string)> tell);

  void works(std::string_view work);

 private:
  const std::string sink_;
  const std::function<void(std::string)> tell_;
  std::string work_;
  std::chrono::steady_clock::time_point tell_at_, say_at_;
};

// While the output is read back.
class RecoveryProgress {
 public:
  // Of `total_bytes` on the disk. `tell`, if given, is called at each step with how far it is, "12 of 300 MiB"; what it
  // throws ends recovery.
  RecoveryProgress(std::string sink, std::uint64_t total_bytes, std::function<void(std::string)> tell);

  void read(std::uint64_t bytes);

 private:
  const std::string sink_;
  const std::uint64_t total_;
  const std::function<void(std::string)> tell_;
  std::uint64_t done_ = 0;
  std::chrono::steady_clock::time_point say_at_;
};

}  // namespace sessionlogd
