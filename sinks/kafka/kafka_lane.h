// Who alone commits to the state topic, or to one partition of it, for one life.
//
//   recover   init_transactions shuts a predecessor out ─▶ a commit record of our own ─▶ the state to its end
//   commit    one transaction: events ─▶ topic, state rows and the commit record ─▶ state topic
//   in doubt  a new producer ─▶ the commit record: our sequence, the batches are delivered; the one before, they are
//             offered again; another one's, we were shut out
//   shut out  the commit record names another one, and the lane ends. Still ours: a pause, in which who shut us out can
//             commit; then as in doubt
//
// Lanes of different partitions know nothing of each other. The calls wait for brokers; one thread at a time makes
// them.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "config/settings.h"
#include "core/base/patience.h"
#include "core/base/result.h"
#include "core/state/lane_group.h"
#include "sinks/formats/formats.h"
#include "sinks/kafka/kafka_part.h"
#include "sinks/kafka/kafka_pause.h"
#include "sinks/kafka/kafka_producer.h"
#include "sinks/kafka/kafka_reader.h"
#include "sinks/kafka/kafka_topics.h"
#include "sinks/kafka/kafka_transaction.h"
#include "sinks/kafka/kafka_views.h"

namespace sessionlogd {

class KafkaLane : public Lane {
 public:
  // Connects to nothing. nullopt: the whole state topic, under the transactional id of the settings; a part has an id
  // of its own. `format` is that of the batches it is given. `views` are of the same settings and must stay. When
  // `stop` is requested recover() ends at once and commit() soon. Nobody is shut out while `may_begin` says no.
  KafkaLane(
      const KafkaSinkSettings& settings, const Format& format, std::optional<StatePart> part, KafkaViews& views,
      std::stop_token stop, std::function<bool()> may_begin = [] { return true; });
  KafkaLane(const KafkaLane&) = delete;
  KafkaLane& operator=(const KafkaLane&) = delete;

  // kRefused also where the visitor throws StateMismatch.
  [[nodiscard]] Result<void> recover(StateVisitor& into) override;

  // In place of recover(), by a lane of the whole state topic: removes all rows. How many there were.
  [[nodiscard]] Result<std::uint64_t> begin_anew();

  // Throws std::logic_error for a batch that belongs to another part.
  [[nodiscard]] Result<void> commit(std::span<const Batch> batches) override;

  std::uint64_t records_read() const override { return read_.load(std::memory_order_relaxed); }
  bool is_shut_out() const override { return is_shut_out_.load(std::memory_order_relaxed); }
  std::uint64_t commits_in_doubt() const override { return doubts_.load(std::memory_order_relaxed); }
  std::string_view name() const override { return name_; }

 private:
  using Clock = KafkaPause::Clock;

  Result<void> take_over(Patience& patience);
  Result<void> check_state(const std::optional<CommitRecord>& last, Patience& patience);
  Result<void> read_state(StateVisitor& into);
  Result<void> read_part(StateVisitor& into, Patience& patience);
  void visit(const KafkaReader::Record& record, StateVisitor& into);
  Result<std::uint64_t> remove_rows();

  Result<std::optional<CommitRecord>> take_place(Patience& patience);
  Result<void> look_first(Patience& patience);
  Result<void> look_at_record(KafkaReader::Until until, Patience& patience);
  Error find_who(Error refused, Patience& patience);
  Result<void> open_view(Patience& patience);
  Result<void> let_others_tell(Patience& patience);
  Result<void> wait_for_leave(Patience& patience) const;
  void close_view(bool went_well);
  Result<void> connect(Patience& patience);
  Result<void> settle_in(const KafkaPlace& place);
  Result<void> settle_doubt(Patience& patience);
  Result<std::optional<CommitRecord>> last_commit(KafkaReader::Until until, Patience& patience);
  Result<void> offer(std::span<const Batch> batches, Patience& patience);
  Result<void> deliver(std::span<const Batch> batches, Patience& patience);
  Error react(const KafkaFault& fault, Patience& patience);
  void check_sources(std::span<const Batch> batches) const;
  bool has_announced() const { return last_committer_ == instance_; }
  std::string find_trouble() const;
  Error fenced_by(const CommitRecord& other) const;
  CommitRecord next_record() const;

  std::optional<KafkaPart> part_;
  const KafkaSinkSettings settings_;
  const std::int32_t record_partition_;
  KafkaViews& views_;
  const std::stop_token stop_;
  const std::function<bool()> may_begin_;
  const std::string name_, instance_;
  std::atomic<std::uint64_t> read_ = 0;

  KafkaPlace place_;
  std::optional<std::string> last_committer_;  // an instance: ours, or the one before us; "" = none
  std::shared_ptr<KafkaView> view_;            // while it is needed
  KafkaTransaction transaction_;
  std::optional<KafkaProducer> producer_;
  std::uint64_t sequence_ = 0;             // of the last commit known to be ours
  bool fenced_ = false;                    // the last producer was shut out: by whom is not known yet
  std::atomic<bool> is_shut_out_ = false;  // and no producer has its place again
  KafkaPause pause_;                       // when that happens
  std::size_t taken_ = 0;                  // of the batches on offer: delivered by a commit() that failed later
  std::size_t in_doubt_ = 0;  // of the batches on offer: delivered if the next sequence number is in the state topic
  std::atomic<std::uint64_t> doubts_ = 0;
};

}  // namespace sessionlogd
