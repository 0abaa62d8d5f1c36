#include "sinks/kafka/kafka_sink.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <future>
#include <thread>
#include <utility>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kBetweenTells = 50ms;

}  // namespace

KafkaSink::KafkaSink(const KafkaSinkSettings& settings, const Format& format, const std::stop_token& stop)
    : name_("kafka:" + settings.topic),
      state_topic_(settings.state_topic),
      views_(settings),
      end_(stop, [this] { life_.request_stop(); }),
      lane_(settings, format, std::nullopt, views_, life_.get_token()) {
  (void)KafkaConf::producer(settings);
  (void)KafkaConf::reader(settings);
}

void KafkaSink::recover(StateVisitor& into) {
  wait_for([&] { return lane_.recover(into); });
}

std::string KafkaSink::how_far() const {
  const std::uint64_t records = lane_.records_read();
  return records == 0 ? "" : fmt::format("{} records of {}", records, state_topic_);
}

std::uint64_t KafkaSink::begin_anew() {
  std::uint64_t removed = 0;
  wait_for([&]() -> Result<void> {
    const Result<std::uint64_t> gone = lane_.begin_anew();
    if (!gone) return gone.error();
    removed = *gone;
    return {};
  });
  return removed;
}

// Calls that wait for brokers stand on a thread of their own, so that this one can be told to stop. Throws what an
// Error means at start, or what on_progress()'s function throws.
void KafkaSink::wait_for(const std::function<Result<void>()>& work) {
  std::packaged_task<Result<void>()> task(work);
  std::future<Result<void>> answer = task.get_future();
  std::thread worker(std::move(task));
  std::exception_ptr stopped;
  try {
    while (answer.wait_for(kBetweenTells) != std::future_status::ready) tell_();
  } catch (...) {
    stopped = std::current_exception();
    life_.request_stop();
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
