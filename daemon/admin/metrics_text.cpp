#include "daemon/admin/metrics_text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <functional>
#include <utility>

#include "daemon/admin/words.h"
#include "daemon/service/version.h"

namespace sessionlogd {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
  // Names without their prefix.
  class Family {
   public:
    explicit Family(prometheus::MetricFamily& family) : family_(family) {}

    void add(double value, Labels labels = {}) {
      ClientMetric metric;
      metric.label = std::move(labels);
      (family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
      family_.metric.push_back(std::move(metric));
    }

   private:
    prometheus::MetricFamily& family_;
  };

  Family counter(const char* name, const char* help) { return Family(begin(name, help, MetricType::Counter)); }
  Family gauge(const char* name, const char* help) { return Family(begin(name, help, MetricType::Gauge)); }

  void histogram(const char* name, const char* help, const HistogramCounts& counts) {
    if (counts.counts.empty()) return;
    ClientMetric metric;
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < counts.bounds.size(); ++i)
      metric.histogram.bucket.push_back({so_far += counts.counts[i], counts.bounds[i]});
    metric.histogram.sample_count = counts.count();
    metric.histogram.sample_sum = counts.sum;
    begin(name, help, MetricType::Histogram).metric.push_back(std::move(metric));
  }

  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  prometheus::MetricFamily& begin(const char* name, const char* help, MetricType type) {
    prometheus::MetricFamily& family = families_.emplace_back();
    family.name = std::string("sessionlogd_") + name;
    family.help = help;
    family.type = type;
    return family;
  }

  std::vector<prometheus::MetricFamily> families_;
};

double seconds(Instant at) { return static_cast<double>(at.seconds) + static_cast<double>(at.nanos) / 1e9; }

// What there are series of: each source, or all of them as if they were one.
struct Subject {
  Labels labels;
  const SourceView* view;
  const std::vector<std::pair<int, std::uint64_t>>* requests;

  Labels labels_and(const char* name, std::string value) const {
    Labels all = labels;
    all.push_back({name, std::move(value)});
    return all;
  }
};
using Subjects = std::vector<Subject>;

Subjects subjects_of(const FleetView& view) {
  if (view.sums) return {{{}, &view.sums->as_one, &view.sums->requests}};
  Subjects each;
  for (const SourceView* source : view.sources())
    each.push_back({{{"source", source->identity->name}}, source, &source->requests.by_status()});
  return each;
}

// One gauge or counter per subject; nullopt leaves it out.
void add_each(Families::Family family, const Subjects& subjects,
              const std::function<std::optional<double>(const SourceView&)>& value_of) {
  for (const Subject& subject : subjects) {
    if (const auto value = value_of(*subject.view)) family.add(*value, subject.labels);
  }
}

// One per subject and word.
template <std::size_t N, class CountsOf>
void add_by_word(Families::Family family, const Subjects& subjects, const char* label,
                 const std::array<std::string_view, N>& words, const CountsOf& counts_of) {
  for (const Subject& subject : subjects) {
    const auto counts = counts_of(*subject.view);
    for (std::size_t i = 0; i < N; ++i)
      family.add(static_cast<double>(counts[i]), subject.labels_and(label, std::string(words[i])));
  }
}

auto counted(Counted what) {
  return [what](const SourceView& source) { return static_cast<double>(source.counts[what]); };
}

std::optional<double> seconds(const std::optional<Instant>& at) {
  return at ? std::optional(seconds(*at)) : std::nullopt;
}

std::string code_of(int status) {
  return status == 0 ? "error" : status == RequestCounts::kOther ? "other" : std::to_string(status);
}

void add_work(Families& families, const Subjects& subjects) {
  add_by_word(families.counter("polls_total", "Polls of session logs, by what came of them."), subjects, "result",
              kPollWords, [](const SourceView& source) { return source.counts.polls(); });
  auto requests = families.counter("http_requests_total",
                                   "Requests to the source, by HTTP status; error: no response could be read.");
  for (const Subject& subject : subjects) {
    for (const auto& [status, count] : *subject.requests)
      requests.add(static_cast<double>(count), subject.labels_and("code", code_of(status)));
  }
  add_each(families.counter("entries_total", "Entries in responses that were read, known ones too."), subjects,
           counted(Counted::kEntries));
  add_by_word(families.counter("events_total", "Events made, by why."), subjects, "change", kChangeWords,
              [](const SourceView& source) { return source.counts.events(); });
  add_each(families.counter("sessions_late_total", "Sessions that only a sweep brought up."), subjects,
           counted(Counted::kLate));
  add_each(families.counter("verify_late_total", "Entries that were not delivered before verify found them."), subjects,
           counted(Counted::kVerifyLate));
  add_each(families.counter("not_json_total",
                            "Responses that were no JSON, broken JSON, or not a log where one was asked for."),
           subjects, counted(Counted::kNotJson));
  add_each(families.counter("not_utf8_total", "Events in which bytes that are no UTF-8 were replaced."), subjects,
           counted(Counted::kNotUtf8));
}

void add_conditions(Families& families, const std::vector<const SourceView*>& sources) {
  std::array<std::size_t, kConditionWords.size()> conditions{};
  for (const SourceView* source : sources) ++conditions[static_cast<std::size_t>(source->condition)];
  auto by_state = families.gauge("sources", "Sources, by how they are.");
  for (std::size_t i = 0; i < conditions.size(); ++i)
    by_state.add(static_cast<double>(conditions[i]), {{"state", std::string(kConditionWords[i])}});
}

void add_how_sources_are(Families& families, const Subjects& subjects) {
  add_each(families.gauge("source_up", "Whether the source is listed and its logs can be read."), subjects,
           [](const SourceView& source) { return source.condition == SourceCondition::kOk ? 1 : 0; });
  add_by_word(families.gauge("sessions", "Sessions that are known, by how far they were read."), subjects, "state",
              kSessionWords, [](const SourceView& source) { return source.sessions; });
  add_each(families.gauge("source_lag_seconds",
                          "Age of the oldest change that is not committed; of a source or a due session that "
                          "cannot be read, since when."),
           subjects, [](const SourceView& source) { return source.lag.count(); });
  add_each(families.gauge("source_lateness_seconds", "How late the poll is that is due longest."), subjects,
           [](const SourceView& source) { return source.lateness.count(); });
  add_each(families.gauge("source_entry_age_seconds",
                          "How old the last new entries were when they were read, the mean; 0: the pace is fixed."),
           subjects, [](const SourceView& source) { return source.entry_age.count(); });
  add_each(
      families.gauge("source_sessions_failing", "Sessions whose logs could not be read the last two times or more."),
      subjects, [](const SourceView& source) { return static_cast<double>(source.sessions_failing); });
  add_each(families.gauge("source_waiting_seconds",
                          "For how long from now on the source is not asked anything: Retry-After, login limit, rate, "
                          "a refused credential, breaker; 0: it is."),
           subjects, [](const SourceView& source) { return source.waiting.count(); });
  add_each(families.gauge("source_clock_offset_seconds", "The source's clock less ours."), subjects,
           [](const SourceView& source) { return static_cast<double>(source.clock_offset.count()); });
  add_each(families.gauge("source_retention_seconds", "How long the source keeps its logs, by the configuration."),
           subjects, [](const SourceView& source) { return static_cast<double>(source.identity->retention.count()); });
  add_each(families.gauge("source_last_poll_timestamp_seconds", "When a log of the source could be read last."),
           subjects, [](const SourceView& source) { return seconds(source.last_poll); });
  add_each(families.gauge("verified_timestamp_seconds", "When the last round of verify ended."), subjects,
           [](const SourceView& source) { return seconds(source.verified_at); });
  add_each(families.gauge("source_token_expires_timestamp_seconds", "When the token in use ends, if that was said."),
           subjects, [](const SourceView& source) { return seconds(source.token_expires); });
  add_each(families.gauge("source_certificate_expires_timestamp_seconds", "When the source's certificate ends."),
           subjects, [](const SourceView& source) { return seconds(source.certificate_expires); });
}

void add_sink(Families& families, const FleetView& view) {
  const CommitterView& sink = view.sink;
  auto commits =
      families.counter("commits_total", "Commits; in_doubt: those whose outcome had to be looked for, counted beside.");
  commits.add(static_cast<double>(sink.ok), {{"result", "ok"}});
  commits.add(static_cast<double>(sink.failed), {{"result", "failed"}});
  commits.add(static_cast<double>(sink.in_doubt), {{"result", "in_doubt"}});
  families.counter("event_bytes_total", "Bytes of events that were committed.")
      .add(static_cast<double>(sink.event_bytes));
  families.gauge("sink_waiting", "Whether the sink cannot take events and is waited for.")
      .add(sink.error.empty() ? 0 : 1);
  auto committed = families.gauge("committed_timestamp_seconds", "When the last commit succeeded.");
  if (sink.last_commit) committed.add(seconds(*sink.last_commit));
  families.gauge("queue_bytes", "Batches that are not committed.").add(static_cast<double>(view.queue_bytes));
  families.gauge("oldest_uncommitted_seconds", "Age of the oldest batch that is not committed; 0: all are.")
      .add(view.oldest_uncommitted.count());
  families.gauge("queue_capacity_bytes", "From here on polling pauses.").add(static_cast<double>(view.queue_capacity));
  families.histogram("commit_seconds", "How long a commit took, also one that failed.", sink.commit_seconds);
  families.histogram("delivery_delay_seconds", "From the reading of an entry to the commit of its event.",
                     sink.delivery_delay_seconds);
}

void add_group(Families& families, const GroupView& group) {
  using State = PartitionState;
  auto own = families.gauge("partitions", "Partitions that the group gave to this member, by how they are.");
  for (const State state : {State::kOwned, State::kTakingOver, State::kWaiting, State::kInDoubt, State::kRefused})
    own.add(static_cast<double>(group.count(state)), {{"state", std::string(name_of(state))}});
  families.gauge("group_partitions", "Partitions of all members together.")
      .add(static_cast<double>(group.partitions.size()));
  families.gauge("group_members", "Members of the group, as Kafka said last; 0: it has not said.")
      .add(static_cast<double>(group.members.size()));
  families.counter("group_rebalances_total", "How often the group gave partitions out anew.")
      .add(static_cast<double>(group.rebalances));
  const GroupCounts& counts = group.counts;
  auto takeovers =
      families.counter("partition_takeovers_total", "Partitions that were taken over here, or could not be.");
  takeovers.add(static_cast<double>(counts.taken_over), {{"result", "well"}});
  takeovers.add(static_cast<double>(counts.not_taken_over), {{"result", "failed"}});
  families.histogram("takeover_seconds", "From being given a partition to its first commit.", counts.takeover_seconds);
  auto released = families.counter("partitions_released_total", "Partitions that ended here, by why.");
  released.add(static_cast<double>(counts.revoked), {{"how", "revoked"}});
  released.add(static_cast<double>(counts.lost), {{"how", "lost"}});
  released.add(static_cast<double>(counts.fenced), {{"how", "fenced"}});
  families.counter("frozen_total", "How often the process had stood still for seconds.")
      .add(static_cast<double>(counts.frozen));
  families.gauge("sources_unknown", "Sources that the state of own partitions knows and the configuration does not.")
      .add(static_cast<double>(group.unknown.size()));
}

void add_process(Families& families, const FleetView& view) {
  HistogramCounts poll, lateness;
  std::size_t bodies = 0;
  for (const auto& shard : view.shards) {
    if (shard == nullptr) continue;
    poll.add(shard->poll_seconds);
    lateness.add(shard->poll_lateness_seconds);
    bodies += shard->body_bytes;
  }
  families.histogram("poll_seconds", "How long a poll took, from its start until its events were on their way.", poll);
  families.histogram("poll_lateness_seconds", "How much later than due a poll began.", lateness);
  auto memory = families.gauge("memory_bytes", "Memory: the process (resident, heap) and parts of it (queue, bodies).");
  memory.add(static_cast<double>(view.resident_bytes), {{"of", "resident"}});
  memory.add(static_cast<double>(view.heap_bytes), {{"of", "heap"}});
  memory.add(static_cast<double>(view.queue_bytes), {{"of", "queue"}});
  memory.add(static_cast<double>(bodies), {{"of", "bodies"}});
  families.gauge("memory_limit_bytes", "What responses, queue and batches may take together.")
      .add(static_cast<double>(view.process.daemon.memory_bytes));
  families.gauge("quarantine_bytes", "Responses that were not what was asked for and are kept for a look.")
      .add(static_cast<double>(view.quarantine_bytes));
  families.gauge("started_timestamp_seconds", "When the daemon was started.").add(seconds(view.process.started));
  families.gauge("build_info", "Always 1.").add(1, {{"version", std::string(kVersion)}});
}

}  // namespace

std::string metrics_text(const FleetView& view) {
  const Subjects subjects = subjects_of(view);
  Families families;
  add_conditions(families, view.all_sources());
  add_how_sources_are(families, subjects);
  add_work(families, subjects);
  add_sink(families, view);
  if (view.process.group) add_group(families, *view.process.group);
  add_process(families, view);
  return families.text();
}

}  // namespace sessionlogd
