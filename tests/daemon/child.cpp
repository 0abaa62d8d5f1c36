#include "tests/daemon/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <utility>

namespace sessionlogd::test {
namespace {

constexpr std::chrono::milliseconds kAskAgain{10};
constexpr std::chrono::seconds kBeforeKilled{10};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

int open_stream(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error("cannot write " + path.string());
  return fd;
}

}  // namespace

bool eventually(const std::function<bool()>& is_so, std::chrono::milliseconds within) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  while (!is_so()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(kAskAgain);
  }
  return true;
}

Child::Child(std::vector<std::string> command, Streams streams, std::vector<std::string> environment)
    : streams_(std::move(streams)) {
  for (char** each = environ; *each != nullptr; ++each) environment.emplace_back(*each);
  const std::vector<char*> arguments = pointers(command), variables = pointers(environment);
  const int out = open_stream(streams_.out), err = open_stream(streams_.err);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    // Only what is safe after a fork among threads. It ends with us even if we are killed.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execve(arguments[0], arguments.data(), variables.data());
    ::_exit(127);
  }
  ::close(out);
  ::close(err);
  if (pid_ < 0) throw std::runtime_error("no new process can be made");
  handle_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
}

Child::Child(Child&& other) noexcept
    : streams_(std::move(other.streams_)),
      pid_(other.pid_),
      handle_(std::exchange(other.handle_, -1)),
      status_(other.status_),
      reaped_(std::exchange(other.reaped_, true)) {}

Child::~Child() {
  if (!reaped_) {
    signal(SIGTERM);
    wait(kBeforeKilled);
  }
  if (handle_ >= 0) ::close(handle_);
}

void Child::signal(int number) const {
  if (!reaped_) ::kill(pid_, number);  // until it is reaped the pid is its own
}

int Child::wait(std::chrono::milliseconds within) {
  if (!has_ended(within)) {
    signal(SIGKILL);
    has_ended(std::chrono::milliseconds(-1));
  }
  return WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
}

std::size_t Child::peak_memory_bytes() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  }
  return 0;
}

bool Child::is_running() { return !has_ended(std::chrono::milliseconds(0)); }

bool Child::has_stopped() const {
  return read_text("/proc/" + std::to_string(pid_) + "/stat").find(") T ") != std::string::npos;
}

// A negative time is for ever.
bool Child::has_ended(std::chrono::milliseconds within) {
  if (reaped_) return true;
  pollfd ended{handle_, POLLIN, 0};
  while (::poll(&ended, 1, static_cast<int>(within.count())) < 0 && errno == EINTR) {
  }
  if ((ended.revents & POLLIN) == 0) return false;
  ::waitpid(pid_, &status_, 0);
  reaped_ = true;
  return true;
}

}  // namespace sessionlogd::test
