// So many at once, in the order in which they came: who gives its turn away and waits again stands behind all others.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "core/base/patience.h"

namespace sessionlogd {

class KafkaTurns {
 public:
  explicit KafkaTurns(std::size_t at_once) : free_(at_once) {}

  struct End {
    void operator()(KafkaTurns* of) const { of->end(); }
  };
  using Turn = std::unique_ptr<KafkaTurns, End>;
  // Any thread, this and the next. nullptr: its patience is over.
  Turn wait(Patience& patience);

  std::size_t waiting() const;

 private:
  void end();

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::size_t free_;
  std::deque<std::uint64_t> waiting_;
  std::uint64_t came_ = 0;
};

}  // namespace sessionlogd
