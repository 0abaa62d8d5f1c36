#include "sinks/kafka/kafka_lane.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <chrono>
#include <random>
#include <stdexcept>
#include <utility>

#include "core/base/host_name.h"
#include "core/base/log_line.h"
#include "core/base/timestamp.h"
#include "sinks/kafka/kafka_wait.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

// A broker that restarts is waited for within the transaction.
constexpr std::chrono::milliseconds kMostWithoutProgress = 10s;
constexpr std::chrono::milliseconds kMostOfMany = 5s;  // one sick lane holds up the readers of all
constexpr std::chrono::milliseconds kMostAtStop = 2s;
constexpr std::chrono::milliseconds kForEver = std::chrono::hours{24 * 365};
constexpr std::chrono::milliseconds kMostForTrouble = 2s;
constexpr std::size_t kTransactionBytes = 16u << 20;
constexpr std::chrono::milliseconds kLeaveSlice = 50ms;
constexpr std::chrono::milliseconds kIdleTurn = 2s;

std::string random_instance() {
  std::random_device entropy;
  return fmt::format("{:08x}{:08x}", entropy(), entropy());
}

// As many as fit into one transaction, one at least: a backlog as a whole might not be sent before it expires.
std::span<const Batch> first_of(std::span<const Batch> batches) {
  std::size_t count = 0, bytes = 0;
  do bytes += batches[count++].bytes();
  while (count < batches.size() && bytes < kTransactionBytes);
  return batches.first(count);
}

std::optional<KafkaPart> part_of(const std::optional<StatePart>& part, const KafkaSinkSettings& settings,
                                 const Format& format) {
  if (!part) return std::nullopt;
  return KafkaPart(*part, settings.state_topic, bond_of(settings, format.name));
}

// What is none of ours, or damaged, ends the lane and not the process.
template <class Work>
Result<void> or_refused(const Work& work) {
  try {
    return work();
  } catch (const StateMismatch& mismatch) {
    return Error(ErrorKind::kRefused, mismatch.what());
  }
}

std::chrono::milliseconds most_of(const KafkaSinkSettings& settings) {
  return settings.group.empty() ? kMostWithoutProgress : kMostOfMany;
}

}  // namespace

KafkaLane::KafkaLane(const KafkaSinkSettings& settings, const Format& format, std::optional<StatePart> part,
                     KafkaViews& views, std::stop_token stop, std::function<bool()> may_begin)
    : part_(part_of(part, settings, format)),
      settings_(part ? lane_settings(settings, *part) : settings),
      record_partition_(part ? part->partition : kCommitPartition),
      views_(views),
      stop_(std::move(stop)),
      may_begin_(std::move(may_begin)),
      name_("kafka:" + (part ? settings_.transactional_id : settings_.topic)),
      instance_(random_instance()),
      transaction_(settings_, format, record_partition_) {}

Result<void> KafkaLane::recover(StateVisitor& into) {
  read_ = 0;
  Patience patience(stop_, most_of(settings_), 0ms);
  const Result<void> done = or_refused([&] {
    Result<void> taken = take_over(patience);
    return taken ? read_state(into) : taken;
  });
  close_view(done.has_value());
  if (!done) producer_.reset();
  return done;
}

Result<void> KafkaLane::take_over(Patience& patience) {
  const Result<std::optional<CommitRecord>> last = take_place(patience);
  if (!last) return last.error();
  if (Result<void> right = check_state(*last, patience); !right) return right;
  if (*last) sequence_ = (*last)->sequence;
  // Who was before us finds this record and ends.
  if (Result<void> announced = deliver({}, patience); !announced) return announced;
  last_committer_ = instance_;
  if (*last && (*last)->instance != instance_) {
    log_info({.sink = name_}, "goes on behind commit {} of {} at {}", (*last)->sequence, (*last)->host, (*last)->time);
  }
  return {};
}

// State and events that do not belong together are never guessed about.
Result<void> KafkaLane::check_state(const std::optional<CommitRecord>& last, Patience& patience) {
  if (part_) {
    Result<void> right = part_->check_record(last);
    return right ? part_->check_bounds(*last, view_->state, patience) : right;
  }
  if (last && last->partitions != place_.state_partitions) {
    return Error(ErrorKind::kRefused,
                 fmt::format("state topic {} has {} partitions and had {} at the last commit ({}): its rows would be "
                             "looked for in the wrong places. `sessionlogd state init` begins anew",
                             settings_.state_topic, place_.state_partitions, last->partitions, last->time));
  }
  if (last) return {};
  const Result<bool> no_state = view_->state.is_empty(patience);
  if (!no_state) return no_state.error();
  if (!*no_state) return {};
  const Result<bool> no_events =
      KafkaReader(KafkaConf::reader(settings_), settings_.topic, place_.event_partitions).is_empty(patience);
  if (!no_events) return no_events.error();
  if (*no_events) return {};
  return Error(ErrorKind::kRefused,
               fmt::format("topic {} holds events and state topic {} is empty: what was delivered is not known, and "
                           "would be delivered again. Name the state topic that belongs to it, or begin anew with "
                           "`sessionlogd state init`",
                           settings_.topic, settings_.state_topic));
}

Result<void> KafkaLane::read_state(StateVisitor& into) {
  Patience patience(stop_, kForEver, 0ms);
  const auto begun = Clock::now();
  if (part_) {
    if (Result<void> read = read_part(into, patience); !read) return read;
  } else {
    const std::string group = group_key(settings_.state_topic);
    std::string its_record;
    const auto on_record = [&](const KafkaReader::Record& record) {
      if (record.key == group) its_record = record.value;
      visit(record, into);
    };
    if (const Result<std::uint64_t> all = view_->state.read_all(std::nullopt, on_record, patience); !all)
      return all.error();
    refuse_group(settings_.state_topic, its_record);
  }
  const std::chrono::duration<double> took = Clock::now() - begun;
  log_info({.sink = name_}, "state topic {}: {} records read in {:.1f} s", settings_.state_topic, records_read(),
           took.count());
  return {};
}

// A few lanes at once. One for which nothing comes, since it waits for somebody's transaction, lets the others read.
Result<void> KafkaLane::read_part(StateVisitor& into, Patience& patience) {
  const auto on_record = [&](const KafkaReader::Record& record) { visit(record, into); };
  KafkaReader::Progress progress;
  while (const KafkaTurns::Turn turn = views_.turns().wait(patience)) {
    Patience brief(stop_, kIdleTurn, 0ms);
    const Result<bool> read = view_->state.read_on(part_->number(), progress, on_record, brief);
    if (!read) return read.error();
    if (*read) return {};
    if (patience.over()) break;
  }
  return Error(ErrorKind::kTryLater, "stopped while its state was read");
}

void KafkaLane::visit(const KafkaReader::Record& record, StateVisitor& into) {
  read_.fetch_add(1, std::memory_order_relaxed);
  visit_row(settings_.state_topic, record.key, record.value, into);
}

Result<std::uint64_t> KafkaLane::begin_anew() {
  Patience patience(stop_, kMostWithoutProgress, 0ms);
  const Result<std::optional<CommitRecord>> last = take_place(patience);
  if (!last) return last.error();
  if (*last) sequence_ = (*last)->sequence;
  return remove_rows();
}

// Every row of the state topic, wherever it lies, and a commit record that knows the topic as it is now.
Result<std::uint64_t> KafkaLane::remove_rows() {
  Patience patience(stop_, kForEver, 0ms);
  KafkaTransaction::Rows rows;
  const std::string group = group_key(settings_.state_topic);
  std::string its_record;
  const auto collect = [&](const KafkaReader::Record& record) {
    if (record.key == group) its_record = record.value;
    if (!is_commit_key(record.key)) rows.insert_or_assign(std::string(record.key), record.partition);
  };
  if (const Result<std::uint64_t> all = view_->state.read_all(std::nullopt, collect, patience); !all)
    return all.error();
  refuse_group(settings_.state_topic, its_record);
  if (const KafkaOutcome fault = transaction_.remove(rows, next_record(), *producer_, patience))
    return react(*fault, patience);
  return rows.size();
}

Result<void> KafkaLane::commit(std::span<const Batch> batches) {
  check_sources(batches);
  Patience patience(stop_, most_of(settings_), kMostAtStop);
  if (!producer_) {
    const Result<void> known = or_refused([&] { return settle_doubt(patience); });
    close_view(known.has_value());
    if (!known) {
      producer_.reset();
      return known;
    }
  }
  Result<void> done = offer(batches, patience);
  return done || !part_ || !fenced_ ? done : Result<void>(find_who(done.error(), patience));
}

Result<void> KafkaLane::offer(std::span<const Batch> batches, Patience& patience) {
  // An owner of a part makes itself known by this, too.
  if (part_ && batches.empty()) return deliver({}, patience);
  while (taken_ < batches.size()) {
    const auto next = first_of(batches.subspan(taken_));
    if (Result<void> done = deliver(next, patience); !done) return done;
    taken_ += next.size();
  }
  // From here on the batches are durable.
  taken_ = 0;
  return {};
}

void KafkaLane::check_sources(std::span<const Batch> batches) const {
  for (const Batch& batch : batches) {
    const bool is_empty = batch.source_id.empty();  // asks for a commit, and is about nothing
    if (!part_ || is_empty || partition_of_source(batch.source_id, part_->of()) == part_->number()) continue;
    throw std::logic_error(fmt::format("source {} does not belong to {}", batch.source_id, name_));
  }
}

// A producer in our place, and what was committed before it.
Result<std::optional<CommitRecord>> KafkaLane::take_place(Patience& patience) {
  if (Result<void> ours = look_first(patience); !ours) return ours.error();
  if (Result<void> may = wait_for_leave(patience); !may) return may.error();
  if (Result<void> connected = connect(patience); !connected) return connected.error();
  Result<std::optional<CommitRecord>> last = last_commit(KafkaReader::Until::kEnd, patience);
  if (last) is_shut_out_ = fenced_ = false;
  return last;
}

// Whoever has taken our place is not shut out in turn before it could say who it is. For a part that is looked up
// after any fault: the places of parts change hands while all is well.
Result<void> KafkaLane::look_first(Patience& patience) {
  if (!fenced_ && !(part_ && last_committer_)) return {};
  // Of a part what is visible alone: an open transaction may be our own, and ends only when the next producer begins.
  const auto until = fenced_ && !part_ ? KafkaReader::Until::kEnd : KafkaReader::Until::kVisible;
  if (Result<void> ours = look_at_record(until, patience); !ours) return ours;
  if (!fenced_ || !part_) return {};
  if (Result<void> told = let_others_tell(patience); !told) return told;
  return look_at_record(until, patience);
}

Result<void> KafkaLane::look_at_record(KafkaReader::Until until, Patience& patience) {
  if (Result<void> seen = open_view(patience); !seen) return seen;
  const Result<std::optional<CommitRecord>> last = last_commit(until, patience);
  return last ? Result<void>() : Result<void>(last.error());
}

// Mostly it has committed by now, and nothing is to be waited for. Else it is looked for before the next producer.
Error KafkaLane::find_who(Error refused, Patience& patience) {
  const Result<void> ours = or_refused([&] { return look_at_record(KafkaReader::Until::kVisible, patience); });
  close_view(ours.has_value());
  return ours || ours.error().kind == ErrorKind::kTryLater ? refused : ours.error();
}

// The broker gave up on our transaction, or somebody has shut us out who has not committed yet. Longer each time: two
// that shut each other out need no referee, the group drops one of them.
Result<void> KafkaLane::let_others_tell(Patience& patience) {
  const std::chrono::milliseconds pause = pause_.next(Clock::now());
  log_error({.sink = name_}, "was shut out, and nobody has committed since: looks again in {} ms", pause.count());
  if (!sleep_for(pause, stop_)) return Error(ErrorKind::kTryLater, "stopped while it was shut out");
  patience.renew();
  return {};
}

Result<void> KafkaLane::wait_for_leave(Patience& patience) const {
  while (!may_begin_()) {
    if (patience.over() || !sleep_for(kLeaveSlice, stop_))
      return Error(ErrorKind::kTryLater, "waits for the group, which has to say whose the partition is");
  }
  return {};
}

// kFenced: somebody has committed since, in our place.
Result<std::optional<CommitRecord>> KafkaLane::last_commit(KafkaReader::Until until, Patience& patience) {
  Result<std::optional<CommitRecord>> last =
      view_->state.last_commit(settings_.transactional_id, record_partition_, until, patience);
  if (!last) return last;
  const std::string instance = *last ? (*last)->instance : "";
  if (!last_committer_) last_committer_ = instance;
  if (instance == instance_ || instance == *last_committer_) return last;
  if (*last) return fenced_by(**last);
  return Error(ErrorKind::kRefused,
               fmt::format("state topic {} has lost our commit record: it was emptied or made anew while we ran",
                           settings_.state_topic));
}

Result<void> KafkaLane::open_view(Patience& patience) {
  if (view_) return {};
  const Result<std::shared_ptr<KafkaView>> view = views_.open(patience);
  if (!view) return view.error();
  view_ = *view;
  return {};
}

void KafkaLane::close_view(bool went_well) {
  if (!went_well) views_.discard(view_);
  view_.reset();
}

// A producer, and a view of what the last one left.
Result<void> KafkaLane::connect(Patience& patience) {
  if (Result<void> seen = open_view(patience); !seen) return seen;
  if (Result<void> fits = settle_in(view_->place); !fits) return fits;
  try {
    producer_.emplace(KafkaConf::producer(settings_).with("message.max.bytes", std::to_string(place_.message_limit)),
                      settings_);
  } catch (const SecretError& error) {
    return Error(ErrorKind::kTryLater, error.what());
  }
  const KafkaOutcome fault = producer_->init(patience);
  if (fault) return react(*fault, patience);
  return {};
}

// A part stays one of as many, whatever becomes of the topic.
Result<void> KafkaLane::settle_in(const KafkaPlace& place) {
  if (!part_ && has_announced() && place.state_partitions != place_.state_partitions) {
    return Error(ErrorKind::kRefused,
                 fmt::format("state topic {} has {} partitions and had {} when we started", settings_.state_topic,
                             place.state_partitions, place_.state_partitions));
  }
  place_ = place;
  if (part_) place_.state_partitions = part_->of();
  return {};
}

Result<void> KafkaLane::settle_doubt(Patience& patience) {
  const Result<std::optional<CommitRecord>> last = take_place(patience);
  if (!last) return last.error();
  if (part_) {
    if (Result<void> whole = part_->check_bounds(**last, view_->state, patience); !whole) return whole;
  }
  const std::uint64_t sequence = (*last)->sequence;  // ours: we have announced ourselves
  const bool delivered = sequence > sequence_;
  if (in_doubt_ > 0) doubts_.fetch_add(1, std::memory_order_relaxed);
  if (delivered) taken_ = std::exchange(in_doubt_, 0);
  in_doubt_ = 0;
  sequence_ = sequence;
  log_info({.sink = name_}, "has a new producer; the last commit that counts is {}", sequence_);
  return {};
}

Result<void> KafkaLane::deliver(std::span<const Batch> batches, Patience& patience) {
  in_doubt_ = taken_ + batches.size();
  const KafkaOutcome fault = transaction_.write(batches, next_record(), place_, *producer_, patience);
  if (fault) return react(*fault, patience);
  ++sequence_;
  in_doubt_ = 0;
  transaction_.clear();
  return {};
}

// Leaves no message behind that points to what the caller may free.
Error KafkaLane::react(const KafkaFault& fault, Patience& patience) {
  const KafkaReaction reaction = classify_kafka(fault);
  fenced_ = is_fenced(fault);
  if (fenced_) is_shut_out_ = true;
  std::string detail = describe(fault);
  if (const std::string said = producer_->take_last_fault(); !said.empty()) detail += "; librdkafka: " + said;
  if (reaction == KafkaReaction::kAbortAndReoffer && !producer_->abort(patience)) {
    in_doubt_ = 0;  // none of it counts, and the producer goes on
  } else {
    producer_.reset();
  }
  transaction_.clear();
  if (reaction == KafkaReaction::kStop) return Error(ErrorKind::kRefused, std::move(detail));
  if (fault.code == RD_KAFKA_RESP_ERR__TIMED_OUT || fault.code == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT) {
    if (const std::string trouble = find_trouble(); !trouble.empty()) detail = trouble;
  }
  return Error(ErrorKind::kTryLater, std::move(detail));
}

std::string KafkaLane::find_trouble() const {
  Patience patience(stop_, kMostForTrouble, 0ms);
  try {
    const KafkaClient client(KafkaClient::Kind::kConsumer, KafkaConf::reader(settings_));
    return sessionlogd::find_trouble(client, settings_, patience);
  } catch (const std::exception& error) {
    return error.what();
  }
}

Error KafkaLane::fenced_by(const CommitRecord& other) const {
  if (part_) return part_->taken_over_by(other);
  return Error(ErrorKind::kFenced,
               fmt::format("another daemon with transactional_id {} has taken over: on {}, instance {}, commit {} at "
                           "{}. Each daemon needs an id of its own",
                           settings_.transactional_id, other.host, other.instance, other.sequence, other.time));
}

CommitRecord KafkaLane::next_record() const {
  std::string now;
  append_rfc3339(now, system_now());
  CommitRecord record{sequence_ + 1, instance_, host_name(), std::move(now), place_.state_partitions};
  if (part_) part_->sign(record);
  return record;
}

}  // namespace sessionlogd
