#include "daemon/admin/recent_trouble.h"

#include <spdlog/sinks/sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <deque>
#include <mutex>

namespace sessionlogd {

class RecentTrouble::Sink : public spdlog::sinks::sink {
 public:
  Sink() { set_level(spdlog::level::warn); }

  void log(const spdlog::details::log_msg& message) override {
    Trouble trouble{.at = system_now(),
                    .level = message.level == spdlog::level::warn ? "warning" : "error",
                    .text = std::string(message.payload.data(), std::min(message.payload.size(), kLongestText))};
    std::lock_guard lock(mutex_);
    latest_.push_front(std::move(trouble));
    if (latest_.size() > kMost) latest_.pop_back();
  }
  void flush() override {}
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  std::vector<Trouble> latest() const {
    std::lock_guard lock(mutex_);
    return {latest_.begin(), latest_.end()};
  }

 private:
  mutable std::mutex mutex_;
  std::deque<Trouble> latest_;
};

RecentTrouble::RecentTrouble() : sink_(std::make_shared<Sink>()) { spdlog::default_logger()->sinks().push_back(sink_); }

RecentTrouble::~RecentTrouble() { std::erase(spdlog::default_logger()->sinks(), sink_); }

std::vector<Trouble> RecentTrouble::latest() const { return sink_->latest(); }

}  // namespace sessionlogd
