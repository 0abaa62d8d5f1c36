// Follows an output as a log shipper does: by inode, through rotations, on a thread of its own. Remembers every whole
// line it ever saw, and complains when a file gets smaller, a line comes twice, or, at the end, one that it saw is not
// there.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace sessionlogd::test {

class TailReader {
 public:
  explicit TailReader(std::string path);
  ~TailReader();

  // Ends following. What was wrong, also judged by what the files hold now; empty when nothing was.
  std::vector<std::string> finish(const std::vector<std::string>& contents);

  std::size_t lines() const { return seen_.size(); }

 private:
  struct Followed {
    int fd = -1;
    std::uint64_t size = 0;      // when last looked at
    std::uint64_t consumed = 0;  // whole lines
  };

  void run();
  void look();
  void follow(const std::string& path);
  void read_on(std::uint64_t inode, Followed& file);
  void see(std::string_view line, std::uint64_t inode);
  void complain(const std::string& what);

  const std::string path_;
  std::map<std::uint64_t, Followed> files_;                // by inode; open, so that no inode is used again
  std::unordered_map<std::uint64_t, std::uint64_t> seen_;  // hash of a line -> inode
  std::vector<std::string> complaints_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace sessionlogd::test
