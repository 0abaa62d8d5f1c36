// kafka_writer BROKERS TOPIC COMMITS [TROUBLE]: a Kafka sink without a daemon around it. Commits entries 0, 1, 2, ...
// of a few sessions and tells each commit on standard output ("SESSION COUNT"), until it has made COMMITS of them.
//
// Ends with 0, with 79 when it was fenced, with 3 when the state it found is wrong, with 4 when the sink refuses.
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <thread>

#include "sinks/formats/ecs.h"
#include "sinks/kafka/kafka_sink.h"
#include "tests/kafka/trouble.h"
#include "tests/sinks/support.h"

namespace sessionlogd::test {
namespace {

constexpr std::uint64_t kSessions = 5;

int commit_all(KafkaSink& sink, CountingState& state, int commits) {
  std::mt19937_64 random(std::random_device{}());
  std::map<std::uint64_t, std::uint64_t> counts = state.counts();
  for (; commits > 0; --commits) {
    std::vector<Batch> batches;
    for (std::uint64_t left = 1 + random() % 4; left > 0; --left) {
      const std::uint64_t session = 1 + random() % kSessions, count = 1 + random() % 20;
      batches.push_back(batch_of(session, counts[session], count, std::string(random() % 500, 'k')));
      counts[session] += count;
    }
    Result<void> done = sink.commit(batches);
    for (; !done && done.error().kind == ErrorKind::kTryLater; done = sink.commit(batches)) {
      spdlog::warn("{}", done.error().detail);
      // More comes while the sink does not take what there is.
      batches.push_back(batch_of(1, counts[1], 1));
      ++counts[1];
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    if (!done) {
      spdlog::error("{}", done.error().detail);
      return done.error().kind == ErrorKind::kFenced ? 79 : 4;
    }
    for (const Batch& batch : batches) fmt::print("{} {}\n", batch.session_key, counts[batch.session_key]);
    std::fflush(stdout);
  }
  return 0;
}

CountingState recover(KafkaSink& sink) {
  for (;;) {
    try {
      CountingState state;
      sink.recover(state);
      return state;
    } catch (const TryLater& later) {
      spdlog::warn("{}", later.what());
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
}

int write(int argc, char** argv) {
  if (argc < 4) return 2;
  if (argc > 4) plan_trouble(argv[4]);
  const std::string topic = argv[2];
  KafkaSinkSettings settings{.brokers = argv[1],
                             .topic = topic,
                             .state_topic = topic + "-state",
                             .transactional_id = topic,
                             .delivery = Delivery::kExactlyOnce,
                             .properties = {{"transaction.timeout.ms", "3000", {}}}};
  if (const char* areas = std::getenv("KAFKA_WRITER_DEBUG")) settings.properties.push_back({"debug", areas, {}});
  KafkaSink sink(settings, kEcsFormat, {});
  CountingState state = recover(sink);
  for (const std::string& complaint : state.complaints()) spdlog::error("{}", complaint);
  return state.complaints().empty() ? commit_all(sink, state, std::stoi(argv[3])) : 3;
}

}  // namespace
}  // namespace sessionlogd::test

int main(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("kafka_writer"));
  if (std::getenv("KAFKA_WRITER_DEBUG") != nullptr) spdlog::set_level(spdlog::level::debug);
  try {
    return sessionlogd::test::write(argc, argv);
  } catch (const std::exception& error) {
    spdlog::error("{}", error.what());
    return 4;
  }
}
