// A daemon that is alone in a group, without its shards: membership, lanes, committers and sources are made and driven
// as App does it, and each source is given to the bench in place of a shard.
#pragma once

#include <boost/asio/io_context.hpp>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "bench/kafka_load.h"
#include "config/settings.h"
#include "core/base/freeze_guard.h"
#include "core/polling/shard_sources.h"
#include "daemon/control/lanes.h"
#include "daemon/control/source_set.h"
#include "sinks/kafka/kafka_group.h"

namespace sessionlogd {

class GroupOfOne : public Outlets {
 public:
  // With what is known of it and the queue of its lane; on this object's thread.
  using Take = std::function<void(NewSource&)>;

  // Joins, and returns when every source was taken. A lane that ends before this does ends the program.
  GroupOfOne(
      const KafkaSinkSettings& settings, std::vector<SourceSettings> sources, Take take = [](NewSource&) {});
  // Commits what was pushed, hands everything back and leaves.
  ~GroupOfOne() override;
  GroupOfOne(const GroupOfOne&) = delete;
  GroupOfOne& operator=(const GroupOfOne&) = delete;

  BatchQueue& queue_of(const Batch& batch) override { return *queues_.find(batch.source_id)->second; }
  const QueueMemory& memory() const override { return *memory_; }
  CommitterView committed() const override { return lanes_->committed(); }

 private:
  class Host;

  void taken(NewSource source);
  void wait_until_all_are_taken();

  const std::size_t count_;
  const Take take_;
  boost::asio::io_context main_{1};
  FreezeGuard guard_{FreezeGuard::now()};
  KafkaGroup group_;
  const std::shared_ptr<QueueMemory> memory_ = std::make_shared<QueueMemory>(kQueueBytes, &guard_);
  // By source. Not changed any more once all are there.
  std::map<std::string, std::shared_ptr<BatchQueue>, std::less<>> queues_;
  bool is_leaving_ = false;
  std::mutex mutex_;  // guards the one below
  std::size_t taken_ = 0;
  std::condition_variable all_taken_;
  std::optional<SourceSet> sources_;
  std::optional<Lanes> lanes_;
  std::jthread thread_;  // turns main_
};

}  // namespace sessionlogd
