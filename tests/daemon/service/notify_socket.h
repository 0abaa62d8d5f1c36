// Stands in for systemd: the socket to which a service tells how it is.
#pragma once

#include <string>
#include <vector>

namespace sessionlogd::test {

class NotifySocket {
 public:
  // `path`: where it lies.
  explicit NotifySocket(const std::string& path);
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // "NOTIFY_SOCKET=..." for the environment of a child.
  std::string variable() const { return "NOTIFY_SOCKET=" + path_; }

  // All that was told since this was made, in order, each message's assignments one by one. Does not wait.
  const std::vector<std::string>& told();

  // Whether some assignment begins like that.
  bool was_told(const std::string& beginning);

 private:
  const std::string path_;
  int socket_ = -1;
  std::vector<std::string> told_;
};

}  // namespace sessionlogd::test
