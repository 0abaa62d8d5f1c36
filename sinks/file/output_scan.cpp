#include "sinks/file/output_scan.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "sinks/file/output_line.h"
#include "sinks/file/owned_fd.h"
#include "sinks/file/rotated_name.h"
#include "sinks/file/zstd_file.h"

namespace sessionlogd {
namespace {

constexpr std::size_t kReadAtOnce = 1u << 20;

using Read = std::function<std::size_t(std::span<char>)>;

[[noreturn]] void cannot_read(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), fmt::format("output {} cannot be read", path));
}

class Lines {
 public:
  Lines(ScannedOutput& scanned, const std::function<void(const Delivered&)>& take) : scanned_(scanned), take_(take) {}

  void of(const Read& read) {
    ++scanned_.files;
    std::size_t filled = 0;
    for (;;) {
      buffer_.resize(filled + kReadAtOnce + OutputLineReader::kPadding);
      const std::size_t got = read({buffer_.data() + filled, kReadAtOnce});
      if (got == 0) return;
      filled = take_lines(filled + got);
    }
  }

 private:
  // Returns how many bytes of a line without an end are left, at the front of the buffer.
  std::size_t take_lines(std::size_t filled) {
    char* line = buffer_.data();
    char* const end = line + filled;
    while (auto* const newline = static_cast<char*>(std::memchr(line, '\n', static_cast<std::size_t>(end - line)))) {
      if (const auto event = reader_.read(line, static_cast<std::size_t>(newline - line))) {
        ++scanned_.events;
        take_(*event);
      }
      line = newline + 1;
    }
    std::memmove(buffer_.data(), line, static_cast<std::size_t>(end - line));
    return static_cast<std::size_t>(end - line);
  }

  ScannedOutput& scanned_;
  const std::function<void(const Delivered&)>& take_;
  OutputLineReader reader_;
  std::vector<char> buffer_;
};

Read plain(const OwnedFd& file, const std::string& path) {
  return [&file, &path](std::span<char> into) {
    for (;;) {
      const ssize_t got = ::read(file.get(), into.data(), into.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) cannot_read(path);
    }
  };
}

}  // namespace

ScannedOutput scan_output(const std::string& output, const std::function<void(const Delivered&)>& take) {
  // Opened before the others are listed: it may be rotated away meanwhile, and is then read once all the same.
  const OwnedFd current(::open(output.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (current.get() < 0 ? errno != ENOENT : ::fstat(current.get(), &info) != 0) cannot_read(output);

  ScannedOutput scanned;
  Lines lines(scanned, take);
  std::int64_t last = 0;
  for (const RotatedFile& file : list_rotated(output)) {
    if (std::exchange(last, file.sequence) == file.sequence) continue;  // the same, plain and compressed
    if (scanned.files == 0) scanned.from_the_first = file.sequence == 1;
    if (current.get() >= 0 && file.device == info.st_dev && file.inode == info.st_ino) continue;
    const OwnedFd opened(file.compressed ? -1 : ::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (opened.get() >= 0) {
      lines.of(plain(opened, file.path));
      continue;
    }
    // Compressed, perhaps since the list was made.
    const std::string path = file.compressed ? file.path : file.path + std::string(kCompressedEnding);
    ZstdReader zstd(path);
    lines.of([&zstd](std::span<char> into) { return zstd.read(into); });
  }
  if (current.get() >= 0) lines.of(plain(current, output));
  return scanned;
}

}  // namespace sessionlogd
