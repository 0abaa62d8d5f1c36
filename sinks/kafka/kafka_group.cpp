#include "sinks/kafka/kafka_group.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <exception>
#include <string_view>
#include <utility>

#include "core/base/log_line.h"
#include "sinks/kafka/kafka_founding.h"
#include "sinks/kafka/kafka_group_view.h"
#include "sinks/kafka/kafka_lane.h"
#include "sinks/kafka/kafka_ptr.h"
#include "sinks/kafka/kafka_wait.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kPollSlice = 20ms;
constexpr std::chrono::milliseconds kMostForHint = 1s;
constexpr std::chrono::milliseconds kGoneFor = 300ms;  // so that the word of it is on its way

KafkaMembership::Numbers numbers_of(const rd_kafka_topic_partition_list_t& list) {
  KafkaMembership::Numbers numbers;
  for (int i = 0; i < list.cnt; ++i) numbers.push_back(list.elems[i].partition);
  return numbers;
}

// A secret that cannot be read now, or a damaged record, is no reason to end for who only looks.
template <class Look>
auto or_later(const Look& look) -> decltype(look()) {
  try {
    return look();
  } catch (const std::exception& error) {
    return Error(ErrorKind::kTryLater, error.what());
  }
}

}  // namespace

struct KafkaGroup::Shared {
  Shared(const KafkaSinkSettings& settings, const Format& given, const FreezeGuard& frozen)
      : format(given), guard(frozen), views(settings) {}

  // Nobody is shut out for what is lost, nor by who has just woken.
  bool may_begin(Partition partition) {
    if (guard.is_quiet(FreezeGuard::now())) return false;
    const std::lock_guard lock(mutex);
    return membership.is_ours(partition);
  }

  const Format& format;
  const FreezeGuard& guard;
  KafkaViews views;
  std::mutex mutex;
  KafkaMembership membership{0};
};

KafkaGroup::KafkaGroup(const KafkaSinkSettings& settings, const Format& format, FreezeGuard& guard)
    : settings_(settings), guard_(guard), shared_(std::make_shared<Shared>(settings, format, guard)), views_(settings) {
  (void)KafkaConf::producer(lane_settings(settings, {0, 1}));
  (void)KafkaConf::reader(settings);
  (void)KafkaConf::member(settings);
}

KafkaGroup::~KafkaGroup() = default;

void KafkaGroup::prepare(const std::function<void()>& tell) {
  std::stop_source life;
  KafkaFounding founding(settings_, bond_of(settings_, shared_->format.name), shared_->views, life.get_token());
  const auto work = [&]() -> Result<void> {
    const Result<GroupRecord> found = founding.find_or_found();
    if (!found) return found.error();
    record_ = *found;
    return check_consumer_group();
  };
  const auto tell_and_stamp = [&] {
    guard_.stamp(FreezeGuard::now());
    tell();
  };
  wait_telling(work, tell_and_stamp, life);
  shared_->membership = KafkaMembership(partitions());
}

// Of two groups "a-b" on "c" and "b" on "c-a" the consumer group is one. A hint only: what the brokers do not say now
// is no hindrance.
Result<void> KafkaGroup::check_consumer_group() const {
  const Result<KafkaGroupView> view = or_later([&] {
    return describe_group(KafkaClient(KafkaClient::Kind::kConsumer, KafkaConf::reader(settings_)), settings_,
                          kMostForHint);
  });
  if (!view || view->other_topic.empty()) return {};
  // They may go, and a consumer that has gone is told of for a while.
  return Error(ErrorKind::kTryLater,
               fmt::format("consumer group {} has members that share topic {} and not state topic {}: another group's "
                           "names make the same one, or another program uses its name. It is joined when they are gone",
                           consumer_group_of(settings_), view->other_topic, settings_.state_topic));
}

Partition KafkaGroup::partition_of(std::string_view source_id) const {
  return static_cast<Partition>(partition_of_source(source_id, record_.partitions));
}

void KafkaGroup::join(std::function<void(const Membership&)> on_change, std::function<bool()> may_stay) {
  on_change_ = std::move(on_change);
  may_stay_ = std::move(may_stay);
  has_left_ = false;
  client_.emplace(KafkaConf::member(settings_), [this](int code, auto& list) { on_rebalance(code, list); });
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void KafkaGroup::released(Partition partition) {
  const std::lock_guard lock(shared_->mutex);
  shared_->membership.released(partition);
}

void KafkaGroup::leave() { wish_ = Wish::kLeave; }
void KafkaGroup::rejoin() {
  Wish stays = Wish::kStay;
  wish_.compare_exchange_strong(stays, Wish::kRejoin);
}

std::unique_ptr<Lane> KafkaGroup::make_lane(Partition partition, std::stop_token stop) {
  // The first base outlives the second, which refers to it.
  struct Keeps {
    std::shared_ptr<Shared> shared;
  };
  struct LaneOfGroup final : Keeps, KafkaLane {
    LaneOfGroup(const KafkaSinkSettings& settings, StatePart part, const std::shared_ptr<Shared>& kept,
                std::stop_token end)
        : Keeps{kept}, KafkaLane(settings, kept->format, part, kept->views, std::move(end), [kept = kept.get(), part] {
            return kept->may_begin(static_cast<Partition>(part.partition));
          }) {}
  };
  const StatePart part{static_cast<std::int32_t>(partition), record_.partitions};
  return std::make_unique<LaneOfGroup>(settings_, part, shared_, std::move(stop));
}

Result<std::vector<GroupMember>> KafkaGroup::members(std::chrono::milliseconds most) {
  const std::lock_guard lock(asking_);
  const Result<KafkaGroupView> view = or_later([&] {
    if (!asks_) asks_.emplace(KafkaClient::Kind::kConsumer, KafkaConf::reader(settings_));
    return describe_group(*asks_, settings_, most);
  });
  if (!view) {
    asks_.reset();  // it may remember brokers that have gone, and secrets that were changed
    return view.error();
  }
  if (view->members.empty() && owns_partitions())
    return Error(ErrorKind::kTryLater, "its coordinator does not tell of it yet, though this member has partitions");
  return view->members;
}

Result<std::vector<PartitionOwner>> KafkaGroup::owners(std::chrono::milliseconds most) {
  return or_later([&] { return owners_of(settings_, record_.partitions, views_, most); });
}

bool KafkaGroup::owns_partitions() const {
  const std::lock_guard lock(shared_->mutex);
  return !shared_->membership.owns_nothing();
}

std::uint64_t KafkaGroup::rebalances() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->membership.rebalances();
}

void KafkaGroup::run(const std::stop_token& stop) {
  subscribe();
  while (!stop.stop_requested()) {
    guard_.stamp(FreezeGuard::now());
    turn();
  }
}

void KafkaGroup::turn() {
  listen();
  follow_wish();
  hand_back();
  tell();
}

// Who does not listen is no member until everything that was said meanwhile is heard.
void KafkaGroup::listen() {
  const bool may_stay = may_stay_();
  if (!may_stay) std::this_thread::sleep_for(kPollSlice);
  if (may_stay && !poll()) return;
  const std::lock_guard lock(shared_->mutex);
  shared_->membership.hangs(!may_stay);
}

// Nothing comes by it but what librdkafka has to say to us: what is assigned is paused. true: that was all.
bool KafkaGroup::poll() {
  rd_kafka_message_t* message = rd_kafka_consumer_poll(client_->get(), static_cast<int>(kPollSlice.count()));
  if (message == nullptr) return true;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) complain(message->err, rd_kafka_message_errstr(message));
  rd_kafka_message_destroy(message);
  return false;
}

// Once for each new reason.
void KafkaGroup::complain(int code, const char* text) {
  std::string said =
      describe(fault_of(code, text == nullptr ? "" : text), "Read on group " + consumer_group_of(settings_));
  if (said == complaint_) return;
  complaint_ = std::move(said);
  log_warn({.sink = settings_.group}, "the group: {}", complaint_);
}

void KafkaGroup::subscribe() {
  const KafkaPartitionsPtr topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), settings_.state_topic.c_str(), RD_KAFKA_PARTITION_UA);
  const rd_kafka_resp_err_t error = rd_kafka_subscribe(client_->get(), topics.get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
    log_error({.sink = settings_.group}, "cannot join the group: {}", describe(fault_of(error)));
}

// Within poll(). What is revoked stays ours until hand_back(); what is lost is gone already.
void KafkaGroup::on_rebalance(int code, rd_kafka_topic_partition_list_s& partitions) {
  rd_kafka_t* handle = client_->get();
  const KafkaMembership::Numbers numbers = numbers_of(partitions);
  const std::lock_guard lock(shared_->mutex);
  if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
    for (int i = 0; i < partitions.cnt; ++i) partitions.elems[i].offset = RD_KAFKA_OFFSET_END;
    (void)take_fault(rd_kafka_incremental_assign(handle, &partitions));
    rd_kafka_pause_partitions(handle, &partitions);
    shared_->membership.assigned(numbers);
    complaint_.clear();
  } else if (code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS && rd_kafka_assignment_lost(handle) == 0) {
    to_hand_back_ = numbers;
    shared_->membership.revoked(numbers);
  } else {
    log_warn({.sink = settings_.group}, "the group has given us up, or cannot be reached: joins anew");
    (void)take_fault(rd_kafka_incremental_unassign(handle, &partitions));
    shared_->membership.lost();
  }
}

void KafkaGroup::hand_back() {
  {
    const std::lock_guard lock(shared_->mutex);
    if (!shared_->membership.take_handing()) return;
  }
  const KafkaPartitionsPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(to_hand_back_.size())));
  for (const std::int32_t partition : to_hand_back_)
    rd_kafka_topic_partition_list_add(list.get(), settings_.state_topic.c_str(), partition);
  if (const KafkaOutcome fault = take_fault(rd_kafka_incremental_unassign(client_->get(), list.get())))
    log_warn({.sink = settings_.group}, "partitions cannot be handed back: {}", describe(*fault));
}

// Leaves when that is wished, and joins again when that is.
void KafkaGroup::follow_wish() {
  const Wish wish = wish_;
  if (wish == Wish::kStay || has_left_) return;
  if (!has_unsubscribed_) {
    has_unsubscribed_ = true;
    rd_kafka_unsubscribe(client_->get());
    const std::lock_guard lock(shared_->mutex);
    shared_->membership.leave();
    return;
  }
  if (!has_gone()) return;
  Wish rejoin = Wish::kRejoin;
  if (!wish_.compare_exchange_strong(rejoin, Wish::kStay)) {
    has_left_ = true;
    return;
  }
  has_unsubscribed_ = false;
  gone_since_.reset();
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->membership.stay();
  }
  subscribe();
}

// Everything is released and handed back, and the group was told. That librdkafka has sent word of it shows only in
// that it has no member's id any more.
bool KafkaGroup::has_gone() {
  {
    const std::lock_guard lock(shared_->mutex);
    if (!shared_->membership.owns_nothing()) return false;
  }
  char* const id = rd_kafka_memberid(client_->get());
  const bool is_known = id != nullptr && *id != '\0';
  if (id != nullptr) rd_kafka_mem_free(client_->get(), id);
  if (is_known) return false;
  if (!gone_since_) gone_since_ = Clock::now();
  return Clock::now() - *gone_since_ > kGoneFor;
}

void KafkaGroup::tell() {
  Membership now;
  std::size_t beyond = 0;
  {
    const std::lock_guard lock(shared_->mutex);
    now = shared_->membership.membership();
    beyond = shared_->membership.beyond();
  }
  if (beyond > 0 && !std::exchange(has_warned_, true)) {
    log_warn({.sink = settings_.group}, "state topic {} has more partitions than the {} of its group: they stay unused",
             settings_.state_topic, partitions());
  }
  if (told_ == now) return;
  told_ = now;
  on_change_(now);
}

}  // namespace sessionlogd
