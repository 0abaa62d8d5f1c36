// A program under test as a child process, which never outlives its test: it is ended by its pid, also when the test
// fails.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/read_text.h"

namespace sessionlogd::test {

// No assertion about speed: only so that a test that hangs ends, also under a sanitizer on a busy machine.
inline constexpr std::chrono::seconds kHangGuard{120};

// Asks again and again until it is so; false when the deadline passes before.
bool eventually(const std::function<bool()>& is_so, std::chrono::milliseconds within = kHangGuard);

class Child {
 public:
  // Where its standard output and error go; both are appended to.
  struct Streams {
    std::filesystem::path out, err;
  };

  // `environment` ("NAME=value") is added to ours.
  Child(std::vector<std::string> command, Streams streams, std::vector<std::string> environment = {});
  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;

  void signal(int number) const;

  // The exit status, or minus the signal that ended it. Killed when the deadline passes: then -SIGKILL.
  int wait(std::chrono::milliseconds within = kHangGuard);

  bool is_running();
  bool has_stopped() const;  // by SIGSTOP, until SIGCONT
  pid_t pid() const { return pid_; }
  std::size_t peak_memory_bytes() const;  // the most it ever had; 0 once it has ended

  std::string out() const { return read_text(streams_.out); }
  std::string err() const { return read_text(streams_.err); }

 private:
  bool has_ended(std::chrono::milliseconds within);

  Streams streams_;
  pid_t pid_ = -1;
  int handle_ = -1;  // a pidfd: readable once the child has ended
  int status_ = 0;
  bool reaped_ = false;
};

}  // namespace sessionlogd::test
