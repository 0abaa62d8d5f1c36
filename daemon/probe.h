// Asks a loop on another thread for a value, without ever waiting for it: who asks looks later whether it came. At most
// one question is under way, so a loop that stands still does not collect them; and the loop may end, or we may, before
// it is answered.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace sessionlogd {

template <class T>
class Probe {
 public:
  // `post` runs a task on the other loop; there `take` makes the value.
  Probe(std::function<void(std::function<void()>)> post, std::function<T()> take)
      : post_(std::move(post)), take_(std::move(take)) {}

  void ask() {
    {
      std::lock_guard lock(shared_->mutex);
      if (std::exchange(shared_->asked, true)) return;
    }
    post_([shared = shared_, take = take_] {
      auto value = std::make_shared<const T>(take());
      std::lock_guard lock(shared->mutex);
      shared->value = std::move(value);
      shared->asked = false;
    });
  }

  // Whether nothing is under way.
  bool answered() const {
    std::lock_guard lock(shared_->mutex);
    return !shared_->asked;
  }

  // The last answer; nullptr: there was none.
  std::shared_ptr<const T> value() const {
    std::lock_guard lock(shared_->mutex);
    return shared_->value;
  }

 private:
  struct Shared {
    std::mutex mutex;
    bool asked = false;
    std::shared_ptr<const T> value;
  };
  std::function<void(std::function<void()>)> post_;
  std::function<T()> take_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();
};

}  // namespace sessionlogd
