#include "core/polling/quarantine.h"
#include "core/base/log_line.h"

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

// A secret that begins in what is kept may end behind it.
constexpr std::size_t kLookedAtBehind = 4u << 10;

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
    if (!file.is_regular_file(ignored)) continue;
    bytes_ += file.file_size(ignored);
    ++files_;
  }
}

bool Quarantine::keep(const Origin& origin, std::string_view body, const HoldsSecret& holds_secret) {
  if (body.empty()) return false;
  const std::string_view kept = body.substr(0, kMostOfOneBody);
  const std::string name = fmt::format("{}-{:016x}.body", origin.source, XXH3_64bits(kept.data(), kept.size()));

  if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    say_kept_nothing(errno);
    return false;
  }
  const Descriptor directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) {
    say_kept_nothing(errno);
    return false;
  }
  if (::faccessat(directory.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (!may_keep(origin.source)) return false;
  if (holds_secret && holds_secret(body.substr(0, kMostOfOneBody + kLookedAtBehind))) return false;
  if (!reserve(kept.size())) return false;

  const Descriptor file(
      ::openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || !write_all(file.get(), kept)) {
    const int error = errno;
    if (file) ::unlinkat(directory.get(), name.c_str(), 0);
    give_back(kept.size());
    if (error != EEXIST) say_kept_nothing(error);
    return error == EEXIST;
  }
  log_warn({.source = origin.source, .session = origin.session},
           "responded with something else where {} was expected: {} of its {} bytes are kept in {}/{}", origin.expected,
           kept.size(), body.size(), directory_, name);
  return true;
}

// Also counts: what is asked about a secret costs time, and may be as often.
bool Quarantine::may_keep(std::string_view source) {
  const SteadyTime now = SteadyClock::now();
  const std::lock_guard lock(mutex_);
  auto share = shares_.find(source);
  if (share == shares_.end()) share = shares_.emplace(source, Share{now, 0}).first;
  if (now - share->second.since >= kPerTime) share->second = {now, 0};
  const unsigned before = share->second.kept;
  if (before > kMostOfASource) return false;
  ++share->second.kept;
  if (before < kMostOfASource) return true;
  log_warn({.source = source},
           "has sent {} different bodies within an hour that are not what was asked for: more of them are only counted",
           kMostOfASource);
  return false;
}

bool Quarantine::reserve(std::size_t bytes) {
  const bool fits = bytes_.fetch_add(bytes) + bytes <= most_in_all_;
  const bool few = files_.fetch_add(1) < kMostFiles;
  if (fits && few) return true;
  give_back(bytes);
  say_full();
  return false;
}

void Quarantine::give_back(std::size_t bytes) {
  bytes_ -= bytes;
  --files_;
}

void Quarantine::say_full() {
  if (full_said_.exchange(true)) return;
  spdlog::warn(
      "{} is full ({} bytes or {} files): what else comes is only counted; remove files there and start again to keep "
      "more",
      directory_, most_in_all_, kMostFiles);
}

void Quarantine::say_kept_nothing(int error) {
  if (failure_said_.exchange(true)) return;
  spdlog::warn("nothing can be kept in {}: {}; such responses are only counted, polling goes on", directory_,
               std::generic_category().message(error));
}

}  // namespace sessionlogd
