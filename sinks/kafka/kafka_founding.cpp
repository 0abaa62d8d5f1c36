#include "sinks/kafka/kafka_founding.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <random>
#include <set>
#include <thread>
#include <utility>

#include "core/base/host_name.h"
#include "core/base/timestamp.h"
#include "sinks/kafka/kafka_conf.h"
#include "sinks/kafka/kafka_group_view.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kMostForFounding = 10s;
constexpr unsigned kLongestStepAsideMs = 1'500;

KafkaSinkSettings as_founder(KafkaSinkSettings settings) {
  settings.transactional_id = founders_id(settings.state_topic);
  return settings;
}

// Founders that shut each other out would do so again at the same pace.
void step_aside() {
  std::random_device entropy;
  std::this_thread::sleep_for(std::chrono::milliseconds(entropy() % kLongestStepAsideMs));
}

}  // namespace

KafkaFounding::KafkaFounding(const KafkaSinkSettings& settings, GroupBond bond, KafkaViews& views, std::stop_token stop)
    : settings_(as_founder(settings)),
      bond_(std::move(bond)),
      views_(views),
      stop_(std::move(stop)),
      key_(group_key(settings.state_topic)) {}

Result<GroupRecord> KafkaFounding::find_or_found() {
  Patience patience(stop_, kMostForFounding, 0ms);
  const Result<std::shared_ptr<KafkaView>> view = views_.open(patience);
  if (!view) return view.error();
  Result<void> done;
  try {
    for (;;) {
      const Result<std::optional<GroupRecord>> known = find(**view, patience);
      if (known && *known) return **known;
      done = known ? found(**view, patience) : Result<void>(known.error());
      if (!done && done.error().kind != ErrorKind::kFenced) break;
      if (done) continue;  // now it is there
      done = Error(ErrorKind::kTryLater, done.error().detail);
      if (patience.over()) break;
      step_aside();
    }
  } catch (const StateMismatch& mismatch) {
    done = Error(ErrorKind::kRefused, mismatch.what());
  } catch (const SecretError& error) {
    done = Error(ErrorKind::kTryLater, error.what());
  }
  views_.discard(*view);
  return done.error();
}

// What is visible, without waiting for transactions that are open. nullopt: nobody has founded it, to the end.
Result<std::optional<GroupRecord>> KafkaFounding::find(KafkaView& view, Patience& patience) {
  const Result<std::optional<std::string>> value =
      view.state.last_value(key_, kCommitPartition, KafkaReader::Until::kVisible, patience);
  if (!value) return value.error();
  if (!*value || (*value)->empty()) return std::optional<GroupRecord>();
  const GroupRecord record = decode_group(**value);
  if (const std::string mismatch = mismatch_of(settings_.state_topic, record.bond, bond_); !mismatch.empty())
    return Error(ErrorKind::kRefused, mismatch);
  return record.partitions == 0 ? std::optional<GroupRecord>() : std::optional(record);
}

// kFenced: another one is at it.
Result<void> KafkaFounding::found(KafkaView& view, Patience& patience) {
  if (Result<void> empty = check_empty(view, patience); !empty) return empty;
  if (Result<void> fits = check_events(view, patience); !fits) return fits;
  if (Result<void> alone = check_alone(); !alone) return alone;
  patience.renew();
  values_.clear();
  KafkaProducer producer(KafkaConf::producer(settings_), settings_);
  if (const KafkaOutcome fault = producer.init(patience)) return failed(producer, *fault);
  // Behind init: whatever an earlier founder wrote is there.
  const Result<std::optional<GroupRecord>> known = find(view, patience);
  if (!known) return known.error();
  if (*known) return {};
  if (Result<void> first = write(producer, 0, patience); !first) return first;
  if (Result<void> empty = check_empty(view, patience); !empty) {
    // Nobody shall take it for the beginning of a group.
    if (empty.error().kind == ErrorKind::kRefused) (void)write(producer, -1, patience);
    return empty;
  }
  return write_records(producer, view, patience);
}

// The first record, or (-1) none.
Result<void> KafkaFounding::write(KafkaProducer& producer, std::int32_t partitions, Patience& patience) {
  values_.push_back(partitions < 0 ? "" : encode_group({partitions, bond_}, by_us(partitions)));
  KafkaOutcome fault = producer.begin();
  if (!fault) fault = producer.add_row(key_, values_.back(), kCommitPartition, patience);
  if (!fault) fault = producer.flush(patience);
  if (!fault) fault = producer.commit(patience);
  return fault ? Result<void>(failed(producer, *fault)) : Result<void>();
}

Result<void> KafkaFounding::write_records(KafkaProducer& producer, KafkaView& view, Patience& patience) {
  const std::int32_t partitions = view.place.state_partitions;
  values_.push_back(encode_group({partitions, bond_}, by_us(partitions)));
  KafkaOutcome fault = producer.begin();
  if (!fault) fault = producer.add_row(key_, values_.back(), kCommitPartition, patience);
  for (std::int32_t partition = 0; partition < partitions && !fault; ++partition) {
    const Result<KafkaReader::Bounds> bounds = view.state.bounds(partition, patience);
    if (!bounds) return bounds.error();
    CommitRecord record = by_us(partitions);
    record.log_start = bounds->first;
    values_.push_back(encode_commit(record));
    const std::string key = commit_key(transactional_id_of({partition, partitions}, settings_.state_topic));
    fault = producer.add_row(key, values_.back(), partition, patience);
  }
  if (!fault) fault = producer.flush(patience);
  if (!fault) fault = producer.commit(patience);
  if (fault) return failed(producer, *fault);
  spdlog::info("group {} was founded on state topic {}: {} partitions", bond_.group, settings_.state_topic, partitions);
  return {};
}

// Of anything but beginnings of this group.
Result<void> KafkaFounding::check_empty(KafkaView& view, Patience& patience) {
  std::set<std::string> held;
  const auto keep = [&](const KafkaReader::Record& record) {
    if (record.key == key_ && (record.value.empty() || decode_group(record.value).bond == bond_)) return;
    if (held.size() < 3) held.insert(std::string(record.key));
  };
  const Result<std::uint64_t> all = view.state.read_all(std::nullopt, keep, patience);
  if (!all) return all.error();
  if (held.empty()) return {};
  // Another founder may have ended just now.
  const Result<std::optional<GroupRecord>> known = find(view, patience);
  if (!known) return known.error();
  if (*known) return Error(ErrorKind::kFenced, "another member has founded the group");
  return Error(
      ErrorKind::kRefused,
      fmt::format("state topic {} holds records already (\"{}\"): in this version a group needs an empty state "
                  "topic. Name another `state_topic` for the group, and another `topic`, too, unless that is "
                  "empty",
                  settings_.state_topic, *held.begin()));
}

Result<void> KafkaFounding::check_events(KafkaView& view, Patience& patience) {
  const Result<bool> none =
      KafkaReader(KafkaConf::reader(settings_), settings_.topic, view.place.event_partitions).is_empty(patience);
  if (!none) return none.error();
  if (*none) return {};
  return Error(ErrorKind::kRefused,
               fmt::format("topic {} holds events and state topic {} is empty: what was delivered is not known, and "
                           "would be delivered again. Name the state topic that belongs to it, or an empty topic",
                           settings_.topic, settings_.state_topic));
}

// Who writes to the topic under another state topic would poll everything, too, as we would.
Result<void> KafkaFounding::check_alone() const {
  const std::string mismatch = mismatch_with_others(settings_);
  return mismatch.empty() ? Result<void>() : Result<void>(Error(ErrorKind::kRefused, mismatch));
}

Error KafkaFounding::failed(KafkaProducer& producer, const KafkaFault& fault) const {
  std::string detail = fmt::format("group {} cannot be founded on state topic {}: {}", bond_.group,
                                   settings_.state_topic, describe(fault));
  if (const std::string said = producer.take_last_fault(); !said.empty()) detail += "; librdkafka: " + said;
  if (is_fenced(fault)) return Error(ErrorKind::kFenced, std::move(detail));
  const bool for_good = classify_kafka(fault) == KafkaReaction::kStop;
  return Error(for_good ? ErrorKind::kRefused : ErrorKind::kTryLater, std::move(detail));
}

CommitRecord KafkaFounding::by_us(std::int32_t partitions) const {
  CommitRecord record{0, "founder", host_name(), {}, partitions};
  append_rfc3339(record.time, system_now());
  record.version = kLaneVersion;
  record.bond = bond_;
  return record;
}

}  // namespace sessionlogd
