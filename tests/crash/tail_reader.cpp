#include "tests/crash/tail_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <functional>

#include "sinks/file/rotated_name.h"

namespace sessionlogd::test {
namespace {

constexpr std::chrono::milliseconds kLookEvery{3};
constexpr std::size_t kMostComplaints = 20;

// Calls on_line for every whole line; how many bytes they were.
template <class OnLine>
std::size_t for_each_line(std::string_view text, OnLine on_line) {
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != text.npos; begin = end + 1)
    on_line(text.substr(begin, end - begin));
  return begin;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(' ') == line.npos; }

std::uint64_t hash_of(std::string_view line) { return std::hash<std::string_view>{}(line); }

}  // namespace

TailReader::TailReader(std::string path) : path_(std::move(path)), thread_([this] { run(); }) {}

TailReader::~TailReader() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
  for (const auto& [inode, file] : files_) ::close(file.fd);
}

void TailReader::run() {
  while (!stop_) {
    look();
    std::this_thread::sleep_for(kLookEvery);
  }
  look();
}

void TailReader::look() {
  for (auto& [inode, file] : files_) read_on(inode, file);
  try {
    for (const RotatedFile& file : list_rotated(path_)) {
      if (!file.compressed && !files_.contains(file.inode)) follow(file.path);
    }
  } catch (const std::exception&) {  // the directory changed while it was read: next time
  }
  follow(path_);
}

void TailReader::follow(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  struct stat info {};
  ::fstat(fd, &info);
  const auto [at, fresh] = files_.try_emplace(info.st_ino);
  if (!fresh) {
    ::close(fd);
    return;
  }
  at->second.fd = fd;
  read_on(info.st_ino, at->second);
}

void TailReader::read_on(std::uint64_t inode, Followed& file) {
  struct stat info {};
  ::fstat(file.fd, &info);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < file.size) complain(fmt::format("inode {} shrank from {} to {} bytes", inode, file.size, size));
  if (size == file.size) return;
  file.size = size;
  std::string text(size - file.consumed, '\0');
  const ssize_t got = ::pread(file.fd, text.data(), text.size(), static_cast<off_t>(file.consumed));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  file.consumed += for_each_line(text, [&](std::string_view line) { see(line, inode); });
}

void TailReader::see(std::string_view line, std::uint64_t inode) {
  if (is_blank(line)) return;
  const auto [at, fresh] = seen_.try_emplace(hash_of(line), inode);
  if (!fresh) complain(fmt::format("in inodes {} and {}: {}", at->second, inode, line));
}

void TailReader::complain(const std::string& what) {
  if (complaints_.size() < kMostComplaints) complaints_.push_back(what);
}

std::vector<std::string> TailReader::finish(const std::vector<std::string>& contents) {
  stop_ = true;
  thread_.join();
  std::unordered_map<std::uint64_t, int> there;
  for (const std::string& content : contents) {
    for_each_line(content, [&](std::string_view line) {
      if (!is_blank(line) && ++there[hash_of(line)] == 2) complain(fmt::format("written twice: {}", line));
    });
  }
  for (const auto& [hash, inode] : seen_) {
    if (!there.contains(hash)) complain(fmt::format("a line of inode {} has vanished", inode));
  }
  return complaints_;
}

}  // namespace sessionlogd::test
