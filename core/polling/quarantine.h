// Keeps what an appliance sent that is no JSON, or not what was asked for, so that a person can see what it was: the
// beginning of each body, equal ones once, in a directory of its own.
//
//   <directory>/<source>-<16 hex digits of the XXH3 of what is kept>.body
//
// Nothing an appliance sends can name a file, make the directory large or many, or the log long: a page with a new
// number in it every time is another body every time. Not to be able to write there is said once and is no more than
// that. One for all shards: thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace sessionlogd {

class Quarantine {
 public:
  static constexpr std::size_t kMostOfOneBody = 64u << 10;
  static constexpr std::size_t kMostInAll = 16u << 20;
  static constexpr std::size_t kMostFiles = 1'000;
  static constexpr unsigned kMostOfASource = 5;  // an hour
  static constexpr std::chrono::hours kPerTime{1};

  // The directory is made (0700) when there is something to keep; what is in it already counts.
  explicit Quarantine(std::string directory, std::size_t most_in_all = kMostInAll);

  struct Origin {
    std::string_view source;    // its name
    std::string_view session;   // "" = the response was not about one
    std::string_view expected;  // "its log"
  };
  // Keeps a body that is not kept yet, and says so, unless `holds_secret` says that what would be kept (and a little
  // behind it) may not be. That is asked only of what there is room for. Returns whether it is there now.
  using HoldsSecret = std::function<bool(std::string_view)>;
  bool keep(const Origin& origin, std::string_view body, const HoldsSecret& holds_secret = nullptr);

  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  // What was kept of a source since then.
  struct Share {
    SteadyTime since{};
    unsigned kept = 0;
  };

  bool may_keep(std::string_view source);
  bool reserve(std::size_t bytes);
  void give_back(std::size_t bytes);
  void say_full();
  void say_kept_nothing(int error);  // once

  const std::string directory_;
  const std::size_t most_in_all_;
  std::atomic<std::size_t> bytes_ = 0, files_ = 0;
  std::mutex mutex_;
  std::map<std::string, Share, std::less<>> shares_;  // by source
  std::atomic<bool> full_said_ = false, failure_said_ = false;
};

}  // namespace sessionlogd
