#include "sinks/kafka/kafka_producer.h"

#include <librdkafka/rdkafka.h>

#include <array>

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFlushSlice = 100ms;
constexpr std::chrono::milliseconds kQueueFullSlice = 5ms;
constexpr std::chrono::milliseconds kInitSlice = 1'000ms;
// A commit or an abort is one round trip or two once everything is flushed. Slower than this, it is in doubt.
constexpr std::chrono::milliseconds kEndSlice = 5'000ms;

rd_kafka_vu_t topic_of(rd_kafka_topic_t* topic) {
  rd_kafka_vu_t field{};
  field.vtype = RD_KAFKA_VTYPE_RKT;
  field.u.rkt = topic;
  return field;
}

rd_kafka_vu_t bytes_of(rd_kafka_vtype_t type, std::string_view bytes) {
  rd_kafka_vu_t field{};
  field.vtype = type;
  field.u.mem.ptr = bytes.empty() ? nullptr : const_cast<char*>(bytes.data());
  field.u.mem.size = bytes.size();
  return field;
}

rd_kafka_vu_t partition_of(std::int32_t partition) {
  rd_kafka_vu_t field{};
  field.vtype = RD_KAFKA_VTYPE_PARTITION;
  field.u.i32 = partition;
  return field;
}

void add_header(rd_kafka_headers_t* headers, std::string_view name, std::string_view value) {
  rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                      static_cast<ssize_t>(value.size()));
}

KafkaFault timed_out(std::string text) { return fault_of(RD_KAFKA_RESP_ERR__TIMED_OUT, std::move(text)); }

}  // namespace

KafkaProducer::KafkaProducer(const KafkaConf& conf, const KafkaSinkSettings& settings)
    : transactional_(settings.delivery == Delivery::kExactlyOnce),
      client_(KafkaClient::Kind::kProducer, conf),
      events_(make_topic(client_, settings.topic)),
      state_(make_topic(client_, settings.state_topic)) {}

// What librdkafka 2.0.2 does not survive. Destroyed in the moment in which it adds partitions to a transaction, it
// fails an assertion (txn_req_cnt > 0): that is waited for. Destroyed between two answers which say that the producer
// was shut out, it frees the first one's reason twice: no message may be left that could be answered so.
KafkaProducer::~KafkaProducer() {
  if (!in_transaction_) return;
  rd_kafka_flush(client_.get(), static_cast<int>(kFlushSlice.count()));
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
}

KafkaOutcome KafkaProducer::init(Patience& patience) {
  if (!transactional_) return std::nullopt;
  for (;;) {
    KafkaOutcome fault = take_fault(rd_kafka_init_transactions(client_.get(), patience.slice_ms(kInitSlice)));
    if (!fault || classify_kafka(*fault) != KafkaReaction::kRetryCall || patience.over()) return fault;
  }
}

KafkaOutcome KafkaProducer::begin() {
  client_.forget_faults();
  in_transaction_ = transactional_;
  return transactional_ ? take_fault(rd_kafka_begin_transaction(client_.get())) : std::nullopt;
}

KafkaOutcome KafkaProducer::add_event(const EventMessage& event, Patience& patience) {
  return add(
      [&] {
        rd_kafka_headers_t* headers = rd_kafka_headers_new(event.headers.size());
        for (const auto& [name, value] : event.headers) add_header(headers, name, value);
        rd_kafka_vu_t list{};
        list.vtype = RD_KAFKA_VTYPE_HEADERS;
        list.u.headers = headers;
        const std::array fields{topic_of(events_.get()), bytes_of(RD_KAFKA_VTYPE_KEY, event.key),
                                bytes_of(RD_KAFKA_VTYPE_VALUE, event.value), list};
        rd_kafka_error_t* error = rd_kafka_produceva(client_.get(), fields.data(), fields.size());
        if (error != nullptr) rd_kafka_headers_destroy(headers);  // else they are the message's
        return error;
      },
      patience);
}

KafkaOutcome KafkaProducer::add_row(std::string_view key, std::string_view value, std::int32_t partition,
                                    Patience& patience) {
  const std::array fields{topic_of(state_.get()), partition_of(partition), bytes_of(RD_KAFKA_VTYPE_KEY, key),
                          bytes_of(RD_KAFKA_VTYPE_VALUE, value)};
  return add([&] { return rd_kafka_produceva(client_.get(), fields.data(), fields.size()); }, patience);
}

template <class Produce>
KafkaOutcome KafkaProducer::add(const Produce& produce, Patience& patience) {
  for (;;) {
    KafkaOutcome fault = take_fault(produce());
    if (fault && fault->code == RD_KAFKA_RESP_ERR__STATE) return why_stopped(std::move(*fault), patience);
    if (!fault || fault->code != RD_KAFKA_RESP_ERR__QUEUE_FULL) return fault;
    const int before = rd_kafka_outq_len(client_.get());
    rd_kafka_poll(client_.get(), static_cast<int>(kQueueFullSlice.count()));
    if (rd_kafka_outq_len(client_.get()) < before) patience.renew();
    if (KafkaOutcome lost = lost_message()) return lost;
    if (patience.over()) return timed_out("the brokers take no messages");
  }
}

KafkaOutcome KafkaProducer::flush(Patience& patience) {
  for (int waiting = rd_kafka_outq_len(client_.get());;) {
    const rd_kafka_resp_err_t left = rd_kafka_flush(client_.get(), patience.slice_ms(kFlushSlice));
    if (const int now = rd_kafka_outq_len(client_.get()); now < waiting) {
      waiting = now;
      patience.renew();
    }
    if (KafkaOutcome lost = lost_message()) return lost;
    // What a failed transaction held was thrown away, and nothing is left of it either.
    if (left == RD_KAFKA_RESP_ERR_NO_ERROR && !client_.transaction_failed()) return std::nullopt;
    char reason[256];
    if (const auto fatal = rd_kafka_fatal_error(client_.get(), reason, sizeof reason)) return fault_of(fatal, reason);
    if (client_.transaction_failed())
      return why_stopped(fault_of(RD_KAFKA_RESP_ERR__STATE, "the transaction has failed"), patience);
    if (patience.over()) return timed_out("the brokers do not take the messages");
  }
}

// What stopped a transaction is only told to who tries to commit it: other calls hear that it has stopped.
KafkaFault KafkaProducer::why_stopped(KafkaFault heard, Patience& patience) {
  KafkaOutcome why = in_transaction_ ? commit(patience) : std::nullopt;
  return why ? std::move(*why) : std::move(heard);
}

KafkaOutcome KafkaProducer::commit(Patience& patience) {
  if (!transactional_) return std::nullopt;
  for (;;) {
    KafkaOutcome fault = take_fault(rd_kafka_commit_transaction(client_.get(), patience.slice_ms(kEndSlice)));
    const bool again = fault && fault->code != RD_KAFKA_RESP_ERR__TIMED_OUT &&
                       classify_kafka(*fault) == KafkaReaction::kRetryCall && !patience.over();
    if (again) continue;
    in_transaction_ = fault.has_value();
    return fault;
  }
}

KafkaOutcome KafkaProducer::abort(Patience& patience) {
  KafkaOutcome fault = take_fault(rd_kafka_abort_transaction(client_.get(), patience.slice_ms(kEndSlice)));
  in_transaction_ = fault.has_value();
  return fault;
}

KafkaOutcome KafkaProducer::lost_message() {
  KafkaOutcome lost = client_.take_lost_message();
  if (lost) lost->requires_abort = transactional_;
  return lost;
}

}  // namespace sessionlogd
