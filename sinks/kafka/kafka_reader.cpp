#include "sinks/kafka/kafka_reader.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

#include "sinks/kafka/kafka_ptr.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kEndsSlice = 3s;
constexpr std::chrono::milliseconds kMostForEnds = 6s;
constexpr std::chrono::milliseconds kReadSlice = 20ms;  // a slice that ends before it is full waits for all of it
constexpr std::chrono::milliseconds kTimesSlice = 5s;
constexpr std::chrono::seconds kProgressEvery{5};
constexpr std::size_t kMessagesAtOnce = 1'000;
constexpr std::int64_t kFirstStepBack = 1'000;

bool passes_by_itself(int code) {
  return code != RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED && code != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART &&
         code != RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC && code != RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

std::string_view text_of(const void* bytes, std::size_t size) { return {static_cast<const char*>(bytes), size}; }

}  // namespace

// Partitions being read at once into one queue.
struct KafkaReader::Reading {
  Reading(const KafkaClient& client, const std::string& name, const std::vector<Range>& ranges)
      : topic(make_topic(client, name)), queue(rd_kafka_queue_new(client.get())) {
    for (const Range& range : ranges) {
      if (range.from >= range.to) continue;
      rd_kafka_consume_start_queue(topic.get(), range.partition, range.from, queue.get());
      open.push_back(range);
      total += range.to - range.from;
    }
  }
  ~Reading() {
    for (const Range& range : open) rd_kafka_consume_stop(topic.get(), range.partition);
  }

  // Everything below `offset` was seen.
  void reached(std::int32_t partition, std::int64_t offset) {
    const auto at = std::ranges::find(open, partition, &Range::partition);
    if (at == open.end()) return;
    seen += std::max<std::int64_t>(0, std::min(offset, at->to) - at->from);
    at->from = std::max(at->from, offset);
    if (at->from < at->to) return;
    rd_kafka_consume_stop(topic.get(), partition);
    open.erase(at);
  }

  void say_progress(const std::string& name) {
    const auto now = std::chrono::steady_clock::now();
    if (now < say_at) return;
    say_at = now + kProgressEvery;
    spdlog::info("reading topic {}: {} of {} records", name, seen, total);
  }

  KafkaTopicPtr topic;
  KafkaQueuePtr queue;
  std::vector<Range> open;
  std::int64_t total = 0, seen = 0;
  std::chrono::steady_clock::time_point say_at = std::chrono::steady_clock::now() + kProgressEvery;
};

std::optional<std::string_view> KafkaReader::Record::header(const char* name) const {
  rd_kafka_headers_t* headers = nullptr;
  const void* bytes = nullptr;
  std::size_t size = 0;
  const bool found = rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
                     rd_kafka_header_get_last(headers, name, &bytes, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
  return found ? std::optional(text_of(bytes, size)) : std::nullopt;
}

KafkaReader::KafkaReader(const KafkaConf& conf, std::string topic, std::int32_t partitions)
    : committed_(KafkaClient::Kind::kConsumer, conf),
      everything_(KafkaClient::Kind::kConsumer, conf.with("isolation.level", "read_uncommitted")),
      topic_(std::move(topic)),
      partitions_(partitions) {}

Result<std::uint64_t> KafkaReader::read_all(std::optional<std::int32_t> partition, const OnRecord& on_record,
                                            Patience& patience) {
  std::vector<Range> ranges = partition ? std::vector<Range>{{*partition, 0, 0}} : every_partition();
  if (const Result<void> found = find_ends(everything_, ranges, patience); !found) return found.error();
  std::uint64_t records = 0;
  const auto counting = [&](const Record& record) {
    ++records;
    on_record(record);
  };
  if (const Result<void> done = read(ranges, counting, patience); !done) return done.error();
  return records;
}

Result<KafkaReader::Reach> KafkaReader::read_visible(std::optional<Instant> since, const OnRecord& on_record,
                                                     Patience& patience) {
  std::vector<Range> ranges = every_partition();
  if (const Result<void> found = find_ends(committed_, ranges, patience); !found) return found.error();
  const std::vector<Range> held = ranges;
  if (since) {
    if (const Result<void> done = leave_out_before(*since, ranges, patience); !done) return done.error();
  }
  Reach reach;
  for (std::size_t i = 0; i < held.size(); ++i)
    reach.since_is_held = reach.since_is_held && (held[i].from == 0 || held[i].from < ranges[i].from);
  const auto counting = [&](const Record& record) {
    ++reach.records;
    on_record(record);
  };
  if (const Result<void> done = read(ranges, counting, patience); !done) return done.error();
  return reach;
}

Result<std::optional<CommitRecord>> KafkaReader::last_commit(std::string_view transactional_id, std::int32_t partition,
                                                             Until until, Patience& patience) {
  const Result<std::optional<std::string>> last = last_value(commit_key(transactional_id), partition, until, patience);
  if (!last) return last.error();
  if (!*last || (*last)->empty()) return std::optional<CommitRecord>();
  return std::optional(decode_commit(**last));
}

Result<std::optional<std::string>> KafkaReader::last_value(const std::string& key, std::int32_t partition, Until until,
                                                           Patience& patience) {
  std::vector<Wanted> wanted{{partition, key}};
  const Result<void> found = find_last(wanted, until, patience);
  if (!found) return found.error();
  return std::move(wanted.front().value);
}

Result<void> KafkaReader::find_last(std::vector<Wanted>& wanted, Until until, Patience& patience) {
  std::vector<Range> held;
  for (const Wanted& each : wanted) held.push_back({each.partition, 0, 0});
  const KafkaClient& seen_by = until == Until::kEnd ? everything_ : committed_;
  if (const Result<void> found = find_ends(seen_by, held, patience); !found) return found.error();
  for (std::int64_t step = kFirstStepBack;; step *= 16) {
    std::vector<Range> ranges;
    bool is_whole = true;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted[i].value) continue;
      ranges.push_back({held[i].partition, std::max(held[i].from, held[i].to - step), held[i].to});
      is_whole = is_whole && ranges.back().from == held[i].from;
    }
    const auto keep_last = [&](const Record& record) {
      const auto at = std::ranges::find(wanted, record.partition, &Wanted::partition);
      if (at != wanted.end() && record.key == at->key) at->value = std::string(record.value);
    };
    if (const Result<void> done = read(ranges, keep_last, patience); !done) return done.error();
    if (is_whole || std::ranges::all_of(wanted, [](const Wanted& each) { return each.value.has_value(); })) return {};
  }
}

Result<KafkaReader::Bounds> KafkaReader::bounds(std::int32_t partition, Patience& patience) {
  std::vector<Range> ranges{{partition, 0, 0}};
  if (const Result<void> found = find_ends(everything_, ranges, patience); !found) return found.error();
  return Bounds{ranges.front().from, ranges.front().to};
}

Result<bool> KafkaReader::read_on(std::int32_t partition, Progress& progress, const OnRecord& on_record,
                                  Patience& patience) {
  if (progress.next < 0) {
    const Result<Bounds> found = bounds(partition, patience);
    if (!found) return found.error();
    progress = {found->first, found->end};
  }
  const auto keep_place = [&](const Record& record) {
    on_record(record);
    progress.next = record.message->offset + 1;
  };
  return read_while({{partition, progress.next, progress.end}}, keep_place, patience);
}

Result<bool> KafkaReader::is_empty(Patience& patience) {
  std::vector<Range> ranges = every_partition();
  if (const Result<void> found = find_ends(everything_, ranges, patience); !found) return found.error();
  return std::ranges::all_of(ranges, [](const Range& range) { return range.to == 0; });
}

std::vector<KafkaReader::Range> KafkaReader::every_partition() const {
  std::vector<Range> ranges;
  for (std::int32_t partition = 0; partition < partitions_; ++partition) ranges.push_back({partition, 0, 0});
  return ranges;
}

// For a while only, however patient the caller is: librdkafka 2.0.2 remembers a topic's leaders when it was asked once,
// and asks one that has gone as long as the client lives. Who tries again does so with new clients. Not by
// rd_kafka_query_watermark_offsets(), which waits for such a one whatever time-out it was given.
Result<void> KafkaReader::find_ends(const KafkaClient& seen_by, std::vector<Range>& ranges, Patience& patience) {
  const auto give_up_at = std::chrono::steady_clock::now() + kMostForEnds;
  const auto find = [&](std::int64_t end, std::int64_t Range::*bound) -> Result<void> {
    for (;;) {
      const int error = offsets_at(seen_by, end, patience.slice_ms(kEndsSlice), bound, ranges);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
      if (!passes_by_itself(error) || patience.over() || std::chrono::steady_clock::now() >= give_up_at)
        return Error(ErrorKind::kTryLater, fmt::format("topic {}: {}", topic_, describe(fault_of(error))));
    }
  };
  Result<void> found = find(RD_KAFKA_OFFSET_BEGINNING, &Range::from);
  return found ? find(RD_KAFKA_OFFSET_END, &Range::to) : found;
}

// Of the first record of a time in milliseconds, or of one of the topic's ends.
int KafkaReader::offsets_at(const KafkaClient& seen_by, std::int64_t time, int most_ms, std::int64_t Range::*bound,
                            std::vector<Range>& ranges) const {
  const KafkaPartitionsPtr list(rd_kafka_topic_partition_list_new(static_cast<int>(ranges.size())));
  for (const Range& range : ranges)
    rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), range.partition)->offset = time;
  rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(seen_by.get(), list.get(), most_ms);
  for (std::size_t i = 0; i < ranges.size() && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) error = list->elems[i].err;
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return error;
  for (std::size_t i = 0; i < ranges.size(); ++i) ranges[i].*bound = list->elems[i].offset;
  return error;
}

// To the first record of that time or later: whatever lies before it is older.
Result<void> KafkaReader::leave_out_before(Instant since, std::vector<Range>& ranges, Patience& patience) {
  if (since.seconds <= 0) return {};
  const std::int64_t since_ms = std::min(since.seconds, INT64_MAX / 1'000) * 1'000;
  for (;;) {
    std::vector<Range> since_then = ranges;
    const int error = offsets_at(committed_, since_ms, patience.slice_ms(kTimesSlice), &Range::from, since_then);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      for (std::size_t i = 0; i < ranges.size(); ++i) {
        const std::int64_t first = since_then[i].from;
        ranges[i].from = first < 0 ? ranges[i].to : std::max(ranges[i].from, first);  // below 0: there is none
      }
      return {};
    }
    if (!passes_by_itself(error) || patience.over()) {
      return Error(ErrorKind::kTryLater, fmt::format("topic {}: its records of a time cannot be found: {}", topic_,
                                                     describe(fault_of(error), "Describe on topic " + topic_)));
    }
  }
}

Result<void> KafkaReader::read(const std::vector<Range>& ranges, const OnRecord& on_record, Patience& patience) {
  const Result<bool> done = read_while(ranges, on_record, patience);
  if (!done) return done.error();
  if (*done) return {};
  return Error(ErrorKind::kTryLater, fmt::format("topic {}: not read to its end in time", topic_));
}

// false: its patience is over.
Result<bool> KafkaReader::read_while(const std::vector<Range>& ranges, const OnRecord& on_record, Patience& patience) {
  Reading reading(committed_, topic_, ranges);
  std::vector<rd_kafka_message_t*> messages(kMessagesAtOnce);
  while (!reading.open.empty()) {
    const ssize_t count = rd_kafka_consume_batch_queue(reading.queue.get(), patience.slice_ms(kReadSlice),
                                                       messages.data(), messages.size());
    // Those behind one at which on_record() throws, too: a client does not end while a message of it is left.
    const std::vector<KafkaMessagePtr> taken(messages.data(), messages.data() + std::max<ssize_t>(count, 0));
    KafkaOutcome fault;
    for (const KafkaMessagePtr& message : taken) {
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        on_record({text_of(message->key, message->key_len), text_of(message->payload, message->len), message->partition,
                   message.get()});
        reading.reached(message->partition, message->offset + 1);
      } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        // Behind the last record stand the marks of transactions: only this tells that they were passed too.
        reading.reached(message->partition, message->offset);
      } else if (!passes_by_itself(message->err)) {
        fault = fault_of(message->err);
      }
    }
    if (fault) {
      return Error(ErrorKind::kTryLater,
                   fmt::format("topic {}: {}", topic_, describe(*fault, "Read on topic " + topic_)));
    }
    if (count > 0) patience.renew();
    if (!reading.open.empty() && patience.over()) return false;
    reading.say_progress(topic_);
  }
  return true;
}

}  // namespace sessionlogd
