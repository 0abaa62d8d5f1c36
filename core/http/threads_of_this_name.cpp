#include "core/http/threads_of_this_name.h"

#include <pthread.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace sessionlogd {
namespace {

std::string name_in(const std::filesystem::path& task) {
  std::string name;
  std::getline(std::ifstream(task / "comm"), name);  // "" when the thread has ended meanwhile
  return name;
}

}  // namespace

std::optional<std::size_t> other_threads_of_this_name() {
  const std::string ours = name_in("/proc/thread-self");
  std::error_code error;
  std::filesystem::directory_iterator task("/proc/self/task", error);
  if (error || ours.empty()) return std::nullopt;
  std::size_t same = 0;
  for (const std::filesystem::directory_iterator end; task != end; task.increment(error)) {
    if (error) return std::nullopt;
    same += name_in(task->path()) == ours ? 1 : 0;
  }
  if (error || same == 0) return std::nullopt;
  return same - 1;
}

void name_this_thread() {
  const std::string name = "shard-" + std::to_string(::gettid());  // of the 15 bytes that a name has
  ::pthread_setname_np(::pthread_self(), name.c_str());
}

}  // namespace sessionlogd
