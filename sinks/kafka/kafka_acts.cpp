#include "sinks/kafka/kafka_acts.h"

#include <fmt/format.h>

#include <stdexcept>
#include <utility>

#include "sinks/formats/formats.h"
#include "sinks/kafka/kafka_check.h"
#include "sinks/kafka/kafka_delivered.h"
#include "sinks/kafka/kafka_sink.h"

namespace sessionlogd {
namespace {

class KafkaActs : public SinkActs {
 public:
  KafkaActs(KafkaSinkSettings sink, const Format& format) : sink_(std::move(sink)), format_(format) {}

  std::unique_ptr<Sink> make(std::stop_token stop) const override {
    return std::make_unique<KafkaSink>(sink_, format_, std::move(stop));
  }
  std::unique_ptr<DeliveredReader> make_reader() const override { return std::make_unique<KafkaDelivered>(sink_); }
  std::vector<SinkFinding> check_connection() const override { return check_kafka(sink_, format_); }
  std::string read_state(StateVisitor& into) const override;
  std::string init_state() const override;
  RebuiltState rebuild_state(StateVisitor& into) const override;

 private:
  const KafkaSinkSettings sink_;
  const Format& format_;
};

// The commit is looked for first: the rows are then at least as new.
std::string KafkaActs::read_state(StateVisitor& into) const {
  KafkaDelivered delivered(sink_);
  const std::optional<KafkaDelivered::LastCommit> last = delivered.last_commit();
  if (!last) {
    throw std::runtime_error(fmt::format("there is no state of {} in topic {}",
                                         sink_.group.empty() ? sink_.transactional_id : "group " + sink_.group,
                                         sink_.state_topic));
  }
  delivered.read_state(into);
  return fmt::format("state   topic {}\noutput  topic {}: commit {} of {}, by {} at {}\n", sink_.state_topic,
                     sink_.topic, last->record.sequence, last->id, last->record.host, last->record.time);
}

std::string KafkaActs::init_state() const {
  const std::uint64_t removed = KafkaSink(sink_, format_, {}).begin_anew();
  return fmt::format(
      "The state knows nothing now: {} rows of topic {} were removed. What the sources still hold within `lookback` is "
      "delivered again.\n",
      removed, sink_.state_topic);
}

RebuiltState KafkaActs::rebuild_state(StateVisitor&) const {
  throw std::runtime_error(fmt::format(
      "the state is in Kafka, in topic {}: only `state show` and `state init` work on it", sink_.state_topic));
}

}  // namespace

std::unique_ptr<SinkActs> make_acts(const KafkaSinkSettings& sink, const Settings& settings) {
  return std::make_unique<KafkaActs>(sink, format_named(settings.sink.format));
}

}  // namespace sessionlogd
