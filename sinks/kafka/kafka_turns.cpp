#include "sinks/kafka/kafka_turns.h"

#include <chrono>

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kTurnSlice{20};

}  // namespace

KafkaTurns::Turn KafkaTurns::wait(Patience& patience) {
  std::unique_lock lock(mutex_);
  const std::uint64_t ours = came_++;
  waiting_.push_back(ours);
  const auto is_our_turn = [&] { return free_ > 0 && waiting_.front() == ours; };
  bool has_come = false;
  do has_come = changed_.wait_for(lock, kTurnSlice, is_our_turn);
  while (!has_come && !patience.over());
  std::erase(waiting_, ours);
  changed_.notify_all();
  if (!has_come) return nullptr;
  --free_;
  return Turn(this);
}

std::size_t KafkaTurns::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void KafkaTurns::end() {
  const std::lock_guard lock(mutex_);
  ++free_;
  changed_.notify_all();
}

}  // namespace sessionlogd
