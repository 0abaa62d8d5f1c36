// Who alone commits to the state topic, or to one partition of it, for one life.
//
//   recover   init_transactions shuts a predecessor out ─▶ a commit record of our own ─▶ the state to its end
//   commit    one transaction: events ─▶ topic, state rows and the commit record ─▶ state topic
//   in doubt  a new producer ─▶ the commit record: our sequence, the batches are delivered; the one before, they are
//             offered again; another one's, we were shut out
//
// Lanes of different partitions know nothing of each other. The calls wait for brokers; one thread at a time makes
// them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
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
#include "sinks/kafka/kafka_views.h"

namespace sessionlogd {

class KafkaLane {
 public:
  // Connects to nothing. nullopt: the whole state topic, under the transactional id of the settings; a part has an id
  // of its own. `format` is that of the batches it is given. `views` are of the same settings and must stay. When
  // `stop` is requested recover() ends at once and commit() soon.
  KafkaLane(const KafkaSinkSettings& settings, const Format& format, std::optional<StatePart> part, KafkaViews& views,
            std::stop_token stop);
  KafkaLane(const KafkaLane&) = delete;
  KafkaLane& operator=(const KafkaLane&) = delete;

  // Before the first commit(). kTryLater: again, with a visitor that knows nothing yet. kRefused also where the visitor
  // throws StateMismatch.
  [[nodiscard]] Result<void> recover(StateVisitor& into);

  // In place of recover(), by a lane of the whole state topic: removes all rows. How many there were.
  [[nodiscard]] Result<std::uint64_t> begin_anew();

  // As Sink::commit(). Throws std::logic_error for a batch that belongs to another part.
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches);

  // Any thread.
  std::uint64_t records_read() const { return read_.load(std::memory_order_relaxed); }  // by the latest recover()
  std::uint64_t commits_in_doubt() const { return doubts_.load(std::memory_order_relaxed); }

 private:
  Result<void> take_over(Patience& patience);
  Result<void> check_state(const std::optional<CommitRecord>& last, Patience& patience);
  Result<void> check_part(const std::optional<CommitRecord>& last) const;
  Result<void> read_state(StateVisitor& into);
  Result<std::uint64_t> remove_rows();

  Result<std::optional<CommitRecord>> take_place(Patience& patience);
  Result<void> look_first(Patience& patience);
  Result<void> look(Patience& patience);
  void look_away(bool went_well);
  Result<void> connect(Patience& patience);
  Result<void> settle_in(const KafkaPlace& place);
  Result<void> settle_doubt(Patience& patience);
  Result<std::optional<CommitRecord>> last_commit(KafkaReader::Until until, Patience& patience);
  Result<void> deliver(std::span<const Batch> batches, Patience& patience);
  Error react(const KafkaFault& fault, Patience& patience);
  void check_sources(std::span<const Batch> batches) const;
  bool has_announced() const { return last_committer_ == instance_; }
  std::string find_trouble() const;
  Error fenced_by(const CommitRecord& other) const;
  CommitRecord next_record() const;

  const std::optional<StatePart> part_;
  const KafkaSinkSettings settings_;
  const std::int32_t record_partition_;
  KafkaViews& views_;
  const std::stop_token stop_;
  const std::string name_, instance_;
  std::atomic<std::uint64_t> read_ = 0;

  KafkaPlace place_;
  std::optional<std::string> last_committer_;  // an instance: ours, or the one before us; "" = none
  std::shared_ptr<KafkaView> view_;            // while it is needed
  KafkaTransaction transaction_;
  std::optional<KafkaProducer> producer_;
  std::uint64_t sequence_ = 0;  // of the last commit known to be ours
  bool fenced_ = false;         // the last producer was shut out: by whom is not known yet
  std::size_t taken_ = 0;       // of the batches on offer: delivered by a commit() that failed later
  std::size_t in_doubt_ = 0;    // of the batches on offer: delivered if the next sequence number is in the state topic
  std::atomic<std::uint64_t> doubts_ = 0;
};

}  // namespace sessionlogd
