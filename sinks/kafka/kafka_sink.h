// Writes events to Kafka, each exactly once for a reader with isolation.level=read_committed.
//
//   commit    one transaction: events ─▶ topic, state rows and the commit record ─▶ state topic
//   recover   init_transactions shuts a predecessor out ─▶ a commit record of our own ─▶ the state topic to its end
//   in doubt  a new producer ─▶ the commit record: our sequence, the batches are delivered; the one before, they are
//             offered again; another daemon's, we were shut out
//
// There is no state on this host. With delivery = "at-least-once" the same steps go without a transaction: events
// first, state after their acknowledgement, so that a crash in between repeats events and loses none.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "config/settings.h"
#include "core/base/patience.h"
#include "core/state/latest_rows.h"
#include "core/state/sink.h"
#include "sinks/formats/formats.h"
#include "sinks/kafka/kafka_producer.h"
#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_topics.h"

namespace sessionlogd {

class KafkaSink : public Sink {
 public:
  // Connects to nothing before recover(). Throws WrongSetting and SecretError. `format` is that of the batches it is
  // given. Waiting ends when `stop` is requested.
  KafkaSink(KafkaSinkSettings settings, const Format& format, std::stop_token stop);

  void recover(StateVisitor& into) override;
  void on_progress(const std::function<void()>& tell) override { tell_ = tell; }
  std::string how_far() const override;
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches) override;
  std::uint64_t commits_in_doubt() const override { return doubts_.load(std::memory_order_relaxed); }
  std::string_view name() const override { return name_; }

  // In place of recover(): forgets what is remembered, so that everything the sources still hold is delivered again.
  // Shuts out a daemon that runs. The number of rows that were removed; throws as recover() does.
  std::uint64_t begin_anew();

 private:
  void wait_for(const std::function<Result<void>(const std::stop_token&)>& work);
  Result<void> take_over(Patience& patience);
  Result<void> check_state(const std::optional<CommitRecord>& last, Patience& patience);
  Result<void> read_state(StateVisitor& into, const std::stop_token& stop);
  Result<std::uint64_t> remove_rows(const std::stop_token& stop);

  Result<void> connect(Patience& patience);
  Result<void> settle_doubt(Patience& patience);
  Result<void> deliver(std::span<const Batch> batches, Patience& patience);
  KafkaOutcome add_events(std::span<const Batch> batches, Patience& patience);
  KafkaOutcome add_rows(std::span<const Batch> batches, Patience& patience);
  KafkaOutcome offer(std::span<const Batch> batches, Patience& patience);
  Error react(const KafkaFault& fault, Patience& patience);
  std::string find_trouble() const;
  Error fenced_by(const CommitRecord& other) const;
  CommitRecord next_record() const;

  const KafkaSinkSettings settings_;
  const Format& format_;
  const std::stop_token stop_;
  const std::string name_, instance_;
  std::function<void()> tell_ = [] {};
  std::atomic<std::uint64_t> read_ = 0;  // records of the state topic, by the recovery that goes on

  KafkaPlace place_;
  std::optional<std::string> predecessor_;  // the instance that committed before us; "" = none
  std::optional<KafkaReader> reader_;       // while its answers are needed
  LatestRows latest_;
  // What messages of the transaction point to, beside the batches.
  std::deque<std::string> cut_;  // events that were too large
  std::string record_;
  std::optional<KafkaProducer> producer_;
  std::uint64_t sequence_ = 0;  // of the last commit known to be ours
  bool fenced_ = false;         // the last producer was shut out: by whom is not known yet
  std::size_t taken_ = 0;       // of the batches on offer: delivered by a commit() that failed later
  std::atomic<std::uint64_t> doubts_ = 0;
  std::size_t in_doubt_ = 0;  // of the batches on offer: delivered if the next sequence number is in the state topic
};

}  // namespace sessionlogd
