#include "sinks/kafka/kafka_wait.h"

#include <chrono>
#include <exception>
#include <future>
#include <thread>

#include "core/state/sink.h"

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kBetweenTells{50};

}  // namespace

void wait_telling(const std::function<Result<void>()>& work, const std::function<void()>& tell,
                  std::stop_source& life) {
  std::packaged_task<Result<void>()> task(work);
  std::future<Result<void>> answer = task.get_future();
  std::thread worker(std::move(task));
  std::exception_ptr stopped;
  try {
    while (answer.wait_for(kBetweenTells) != std::future_status::ready) tell();
  } catch (...) {
    stopped = std::current_exception();
    life.request_stop();
  }
  worker.join();
  if (stopped) std::rethrow_exception(stopped);
  const Result<void> done = answer.get();
  if (done) return;
  switch (done.error().kind) {
    case ErrorKind::kTryLater:
      throw TryLater(done.error().detail);
    case ErrorKind::kFenced:
      throw FencedAtStart(done.error().detail);
    default:
      throw StateMismatch(done.error().detail);
  }
}

}  // namespace sessionlogd
