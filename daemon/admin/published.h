// A value that is made on one thread and looked at on others: whoever looks keeps what there was at that moment.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace sessionlogd {

template <class T>
class Published {
 public:
  void put(T value) {
    auto next = std::make_shared<const T>(std::move(value));
    std::lock_guard lock(mutex_);
    value_.swap(next);
  }

  // nullptr: there was none yet.
  std::shared_ptr<const T> latest() const {
    std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace sessionlogd
