#include "core/quarantine.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace sessionlogd {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  const int fd_;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Quarantine::Quarantine(std::string directory, std::size_t most_in_all)
    : directory_(std::move(directory)), most_in_all_(most_in_all) {
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(directory_, ignored)) {
    if (file.is_regular_file(ignored)) bytes_ += file.file_size(ignored);
  }
}

void Quarantine::keep(const Origin& origin, std::string_view body) {
  if (body.empty()) return;
  const std::string_view kept = body.substr(0, kMostOfOneBody);
  const std::string name = fmt::format("{}-{:016x}.body", origin.source, XXH3_64bits(kept.data(), kept.size()));

  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) return say_failure(errno);
  const Descriptor directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return say_failure(errno);
  if (::faccessat(directory.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0 || !reserve(kept.size())) return;

  const Descriptor file(
      ::openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || !write_all(file.get(), kept)) {
    const int error = errno;
    if (file) ::unlinkat(directory.get(), name.c_str(), 0);
    bytes_ -= kept.size();
    if (error != EEXIST) say_failure(error);
    return;
  }
  const std::string session = origin.session.empty() ? "" : fmt::format(" session={}", origin.session);
  spdlog::warn("source={}{} answered with something else where {} was expected: {} of its {} bytes are kept in {}/{}",
               origin.source, session, origin.expected, kept.size(), body.size(), directory_, name);
}

bool Quarantine::reserve(std::size_t bytes) {
  if (bytes_.fetch_add(bytes) + bytes <= most_in_all_) return true;
  bytes_ -= bytes;
  if (!full_said_.exchange(true)) {
    spdlog::warn(
        "{} is full ({} bytes): what else comes is only counted; remove files there and start again to keep more",
        directory_, most_in_all_);
  }
  return false;
}

void Quarantine::say_failure(int error) {
  if (failure_said_.exchange(true)) return;
  spdlog::warn("nothing can be kept in {}: {}; such answers are only counted, polling goes on", directory_,
               std::generic_category().message(error));
}

}  // namespace sessionlogd
