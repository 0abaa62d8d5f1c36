// One writer into Kafka's topics: nobody else commits what it commits.
//
//   recover   init_transactions shuts a predecessor out ─▶ a commit record of our own ─▶ the state topic to its end
//   commit    one transaction: events ─▶ topic, state rows and the commit record ─▶ state topic
//   in doubt  a new producer ─▶ the commit record: our sequence, the batches are delivered; the one before, they are
//             offered again; another daemon's, we were shut out
//
// Its calls wait for brokers. One thread at a time makes them.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "config/settings.h"
#include "core/base/patience.h"
#include "core/base/result.h"
#include "core/state/sink.h"
#include "sinks/formats/formats.h"
#include "sinks/kafka/kafka_producer.h"
#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_topics.h"
#include "sinks/kafka/kafka_transaction.h"

namespace sessionlogd {

class KafkaLane {
 public:
  // Connects to nothing. `format` is that of the batches it is given. When `stop` is requested recover() ends at once
  // and commit() soon.
  KafkaLane(KafkaSinkSettings settings, const Format& format, std::stop_token stop);
  KafkaLane(const KafkaLane&) = delete;
  KafkaLane& operator=(const KafkaLane&) = delete;

  // Before the first commit(). kTryLater: again, with a visitor that knows nothing yet. Throws what the visitor throws,
  // and StateMismatch.
  [[nodiscard]] Result<void> recover(StateVisitor& into);

  // In place of recover(): removes all rows. How many there were.
  [[nodiscard]] Result<std::uint64_t> begin_anew();

  // As Sink::commit().
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches);

  // Any thread.
  std::uint64_t records_read() const { return read_.load(std::memory_order_relaxed); }  // by the latest recover()
  std::uint64_t commits_in_doubt() const { return doubts_.load(std::memory_order_relaxed); }

 private:
  Result<void> take_over(Patience& patience);
  Result<void> check_state(const std::optional<CommitRecord>& last, Patience& patience);
  Result<void> read_state(StateVisitor& into);
  Result<std::uint64_t> remove_rows();

  Result<void> connect(Patience& patience);
  Result<void> settle_doubt(Patience& patience);
  Result<CommitRecord> own_last_commit(Patience& patience);
  Result<void> deliver(std::span<const Batch> batches, Patience& patience);
  Error react(const KafkaFault& fault, Patience& patience);
  std::string find_trouble() const;
  Error fenced_by(const CommitRecord& other) const;
  CommitRecord next_record() const;

  const KafkaSinkSettings settings_;
  const std::stop_token stop_;
  const std::string name_, instance_;
  std::atomic<std::uint64_t> read_ = 0;

  KafkaPlace place_;
  std::optional<std::string> predecessor_;  // the instance that committed before us; "" = none
  std::optional<KafkaReader> reader_;       // while its answers are needed
  KafkaTransaction transaction_;
  std::optional<KafkaProducer> producer_;
  std::uint64_t sequence_ = 0;  // of the last commit known to be ours
  bool fenced_ = false;         // the last producer was shut out: by whom is not known yet
  std::size_t taken_ = 0;       // of the batches on offer: delivered by a commit() that failed later
  std::size_t in_doubt_ = 0;    // of the batches on offer: delivered if the next sequence number is in the state topic
  std::atomic<std::uint64_t> doubts_ = 0;
};

}  // namespace sessionlogd
