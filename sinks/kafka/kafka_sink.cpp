#include "sinks/kafka/kafka_sink.h"

#include <fmt/format.h>

#include <utility>

#include "sinks/kafka/kafka_wait.h"

namespace sessionlogd {

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
  wait_telling([&] { return lane_.recover(into); }, tell_, life_);
}

std::string KafkaSink::how_far() const {
  const std::uint64_t records = lane_.records_read();
  return records == 0 ? "" : fmt::format("{} records of {}", records, state_topic_);
}

std::uint64_t KafkaSink::begin_anew() {
  std::uint64_t removed = 0;
  const auto remove = [&]() -> Result<void> {
    const Result<std::uint64_t> gone = lane_.begin_anew();
    if (!gone) return gone.error();
    removed = *gone;
    return {};
  };
  wait_telling(remove, tell_, life_);
  return removed;
}

}  // namespace sessionlogd
