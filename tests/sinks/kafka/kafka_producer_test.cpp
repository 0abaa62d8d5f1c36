#include "sinks/kafka/kafka_producer.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "tests/sinks/kafka/mock_cluster.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

// Holds up the thread that says for the second time that the producer was shut out, as a busy machine may do.
class HoldingSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  int said() const { return said_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view line(message.payload.data(), message.payload.size());
    if (line.find("TXNERR") == line.npos) return;
    if (++said_ == 2) std::this_thread::sleep_for(500ms);
  }
  void flush_() override {}

 private:
  std::atomic<int> said_ = 0;
};

class HeldLog {
 public:
  HeldLog() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("held", sink_);
    logger->set_level(spdlog::level::debug);
    spdlog::set_default_logger(logger);
  }
  ~HeldLog() { spdlog::set_default_logger(before_); }

  int said() const { return sink_->said(); }

 private:
  std::shared_ptr<HoldingSink> sink_ = std::make_shared<HoldingSink>();
  std::shared_ptr<spdlog::logger> before_;
};

// librdkafka 2.0.2 frees a text twice when it ends between two answers that say so; glibc ends the process at that, if
// not at once then with the next thread.
TEST(KafkaProducer, MayEndWhileSeveralMessagesAreToldThatItWasShutOut) {
  test::MockCluster cluster(1);
  const HeldLog log;
  {
    const KafkaSinkSettings settings = cluster.settings();
    KafkaProducer producer(KafkaConf::producer(settings), settings);
    Patience patience({}, 60s, 1s);
    ASSERT_FALSE(producer.init(patience));
    ASSERT_FALSE(producer.begin());
    cluster.shut_out_twice();
    KafkaOutcome fault = producer.add_event({.key = "key", .value = "{}", .headers = {}}, patience);
    if (!fault) fault = producer.add_row("key", "{}", 0, patience);
    if (!fault) fault = producer.flush(patience);
    ASSERT_TRUE(fault);
    EXPECT_TRUE(is_fenced(*fault)) << describe(*fault);
  }
  EXPECT_GE(log.said(), 1);
}

}  // namespace
}  // namespace sessionlogd
