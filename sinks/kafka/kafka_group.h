// A group of daemons through Kafka alone: a consumer group says who should own which partition of the state topic, and
// the lanes' transactional ids make sure of it. Nothing is consumed, and no offset is committed.
//
// A thread of its own is the member: it polls, tells what changes, and stamps the clock by which everybody notices that
// the process stood still. Partitions are handed back in one piece, once all that were revoked together are released.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/settings.h"
#include "core/base/freeze_guard.h"
#include "core/state/lane_group.h"
#include "sinks/formats/formats.h"
#include "sinks/kafka/kafka_client.h"
#include "sinks/kafka/kafka_membership.h"
#include "sinks/kafka/kafka_rows.h"
#include "sinks/kafka/kafka_views.h"

namespace sessionlogd {

class KafkaGroup : public LaneGroup {
 public:
  // Connects to nothing before prepare(). Throws WrongSetting and SecretError. `guard` must stay; lanes may outlive the
  // group. Its end is none to the others: who has not left is missed by them after the session's time.
  KafkaGroup(const KafkaSinkSettings& settings, const Format& format, FreezeGuard& guard);
  ~KafkaGroup() override;

  void prepare(const std::function<void()>& tell) override;
  std::size_t partitions() const override { return static_cast<std::size_t>(record_.partitions); }
  Partition partition_of(std::string_view source_id) const override;

  void join(std::function<void(const Membership&)> on_change, std::function<bool()> may_stay) override;
  void released(Partition partition) override;
  void leave() override;
  bool has_left() const override { return has_left_; }
  void rejoin() override;

  std::unique_ptr<Lane> make_lane(Partition partition, std::stop_token stop) override;
  Result<std::vector<GroupMember>> members(std::chrono::milliseconds most) override;
  Result<std::vector<PartitionOwner>> owners(std::chrono::milliseconds most) override;

  std::string_view name() const override { return settings_.group; }
  std::uint64_t rebalances() const override;

 private:
  using Clock = std::chrono::steady_clock;
  struct Shared;  // with the lanes
  enum class Wish { kStay, kLeave, kRejoin };

  Result<void> check_consumer_group() const;
  void run(const std::stop_token& stop);
  void turn();
  void listen();
  bool poll();
  void complain(int code, const char* text);
  void on_rebalance(int code, rd_kafka_topic_partition_list_s& partitions);
  void hand_back();
  void follow_wish();
  bool has_gone();
  void subscribe();
  void tell();
  bool owns_partitions() const;

  const KafkaSinkSettings settings_;
  FreezeGuard& guard_;
  const std::shared_ptr<Shared> shared_;
  // For owners(): in a lane's, of which each partition is read by one at a time, it would stop a takeover's reading.
  KafkaViews views_;
  std::mutex asking_;                // guards the next
  std::optional<KafkaClient> asks_;  // for members()
  GroupRecord record_;
  std::function<void(const Membership&)> on_change_;
  std::function<bool()> may_stay_;

  // Of the group's thread.
  std::optional<KafkaClient> client_;
  KafkaMembership::Numbers to_hand_back_;
  std::optional<Membership> told_;
  std::optional<Clock::time_point> gone_since_;
  std::string complaint_;
  bool has_unsubscribed_ = false, has_warned_ = false;

  std::atomic<Wish> wish_ = Wish::kStay;
  std::atomic<bool> has_left_ = true;
  std::jthread thread_;
};

}  // namespace sessionlogd
