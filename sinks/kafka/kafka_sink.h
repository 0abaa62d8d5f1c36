// Writes events to Kafka, each exactly once for a reader with isolation.level=read_committed: one lane, which commits
// events and state together.
//
// There is no state on this host. With delivery = "at-least-once" the same steps go without a transaction: events
// first, state after their acknowledgement, so that a crash in between repeats events and loses none.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "config/settings.h"
#include "core/state/sink.h"
#include "sinks/formats/formats.h"
#include "sinks/kafka/kafka_lane.h"
#include "sinks/kafka/kafka_views.h"

namespace sessionlogd {

class KafkaSink : public Sink {
 public:
  // Connects to nothing before recover(). Throws WrongSetting and SecretError. `format` is that of the batches it is
  // given. Waiting ends when `stop` is requested.
  KafkaSink(const KafkaSinkSettings& settings, const Format& format, const std::stop_token& stop);

  void recover(StateVisitor& into) override;
  void on_progress(const std::function<void()>& tell) override { tell_ = tell; }
  std::string how_far() const override;
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches) override { return lane_.commit(batches); }
  std::uint64_t commits_in_doubt() const override { return lane_.commits_in_doubt(); }
  std::string_view name() const override { return name_; }

  // In place of recover(): forgets what is remembered, so that everything the sources still hold is delivered again.
  // Shuts out a daemon that runs. The number of rows that were removed; throws as recover() does.
  std::uint64_t begin_anew();

 private:
  const std::string name_, state_topic_;
  std::function<void()> tell_ = [] {};
  KafkaViews views_;
  std::stop_source life_;  // of the lane: ends with `stop`, or when tell_ throws
  const std::stop_callback<std::function<void()>> end_;
  KafkaLane lane_;
};

}  // namespace sessionlogd
