#include "sinks/kafka_reader.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kSlice = 500ms;
constexpr std::chrono::milliseconds kReadSlice = 20ms;  // a slice that ends before it is full waits for all of it
constexpr std::chrono::seconds kProgressEvery{5};
constexpr std::size_t kMessagesAtOnce = 1'000;
constexpr std::int64_t kFirstStepBack = 1'000;

struct QueueDeleter {
  void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};
struct MessageDeleter {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};

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
    spdlog::info("reading state topic {}: {} of {} records", name, seen, total);
  }

  KafkaTopicPtr topic;
  std::unique_ptr<rd_kafka_queue_t, QueueDeleter> queue;
  std::vector<Range> open;
  std::int64_t total = 0, seen = 0;
  std::chrono::steady_clock::time_point say_at = std::chrono::steady_clock::now() + kProgressEvery;
};

KafkaReader::KafkaReader(const KafkaConf& conf, std::string topic, std::int32_t partitions)
    : committed_(KafkaClient::Kind::kConsumer, conf),
      everything_(KafkaClient::Kind::kConsumer, conf.with("isolation.level", "read_uncommitted")),
      topic_(std::move(topic)),
      partitions_(partitions) {}

Result<std::uint64_t> KafkaReader::read_all(const OnRecord& on_record, Patience& patience) {
  const Result<std::vector<Range>> ranges = whole_topic(patience);
  if (!ranges) return ranges.error();
  std::uint64_t records = 0;
  const auto counting = [&](const Record& record) {
    ++records;
    on_record(record);
  };
  if (const Result<void> done = read(*ranges, counting, patience); !done) return done.error();
  return records;
}

Result<std::optional<CommitRecord>> KafkaReader::last_commit(std::string_view transactional_id, Patience& patience) {
  const std::string wanted = commit_key(transactional_id);
  const Result<Range> all = whole(kCommitPartition, patience);
  if (!all) return all.error();
  for (std::int64_t step = kFirstStepBack;; step *= 16) {
    Range range = *all;
    range.from = std::max(all->from, all->to - step);
    std::string last;
    const auto keep_last = [&](const Record& record) {
      if (record.key == wanted) last = record.value;
    };
    if (const Result<void> done = read({range}, keep_last, patience); !done) return done.error();
    if (!last.empty()) return std::optional(decode_commit(last));
    if (range.from == all->from) return std::optional<CommitRecord>();
  }
}

Result<bool> KafkaReader::is_empty(Patience& patience) {
  const Result<std::vector<Range>> ranges = whole_topic(patience);
  if (!ranges) return ranges.error();
  return std::ranges::all_of(*ranges, [](const Range& range) { return range.to == 0; });
}

Result<KafkaReader::Range> KafkaReader::whole(std::int32_t partition, Patience& patience) {
  for (;;) {
    Range range{partition, 0, 0};
    const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
        everything_.get(), topic_.c_str(), partition, &range.from, &range.to, patience.slice_ms(kSlice));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return range;
    if (!passes_by_itself(error) || patience.over()) {
      return Error(ErrorKind::kTryLater,
                   fmt::format("state topic {}, partition {}: {}", topic_, partition, describe(fault_of(error))));
    }
  }
}

Result<std::vector<KafkaReader::Range>> KafkaReader::whole_topic(Patience& patience) {
  std::vector<Range> ranges;
  for (std::int32_t partition = 0; partition < partitions_; ++partition) {
    const Result<Range> range = whole(partition, patience);
    if (!range) return range.error();
    ranges.push_back(*range);
  }
  return ranges;
}

Result<void> KafkaReader::read(const std::vector<Range>& ranges, const OnRecord& on_record, Patience& patience) {
  Reading reading(committed_, topic_, ranges);
  std::vector<rd_kafka_message_t*> messages(kMessagesAtOnce);
  while (!reading.open.empty()) {
    const ssize_t count = rd_kafka_consume_batch_queue(reading.queue.get(), patience.slice_ms(kReadSlice),
                                                       messages.data(), messages.size());
    KafkaOutcome fault;
    for (ssize_t i = 0; i < count; ++i) {
      const std::unique_ptr<rd_kafka_message_t, MessageDeleter> message(messages[static_cast<std::size_t>(i)]);
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        on_record(
            {text_of(message->key, message->key_len), text_of(message->payload, message->len), message->partition});
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
                   fmt::format("state topic {}: {}", topic_, describe(*fault, "Read on topic " + topic_)));
    }
    if (count > 0) patience.renew();
    if (!reading.open.empty() && patience.over()) {
      return Error(ErrorKind::kTryLater, fmt::format("state topic {}: not read to its end in time", topic_));
    }
    reading.say_progress(topic_);
  }
  return {};
}

}  // namespace sessionlogd
