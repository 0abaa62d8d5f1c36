// Keeps what an appliance sent that is no JSON, or not what was asked for, so that a person can see what it was: the
// beginning of each body, equal ones once, in a directory of its own.
//
//   <directory>/<source>-<16 hex digits of the XXH3 of what is kept>.body
//
// Nothing an appliance sends can name a file or make the directory large. Not to be able to write there is said once
// and is no more than that. One for all shards: thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>

namespace sessionlogd {

class Quarantine {
 public:
  static constexpr std::size_t kMostOfOneBody = 64u << 10;
  static constexpr std::size_t kMostInAll = 16u << 20;

  // The directory is made (0700) when there is something to keep; what is in it already counts.
  explicit Quarantine(std::string directory, std::size_t most_in_all = kMostInAll);

  struct Origin {
    std::string_view source;    // its name
    std::string_view session;   // "" = the answer was not about one
    std::string_view expected;  // "its log"
  };
  // Keeps a body that is not kept yet, and says so.
  void keep(const Origin& origin, std::string_view body);

  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  bool reserve(std::size_t bytes);
  void say_failure(int error);

  const std::string directory_;
  const std::size_t most_in_all_;
  std::atomic<std::size_t> bytes_ = 0;  // of all files
  std::atomic<bool> full_said_ = false, failure_said_ = false;
};

}  // namespace sessionlogd
