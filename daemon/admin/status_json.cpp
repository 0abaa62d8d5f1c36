#include "daemon/admin/status_json.h"

#include <unordered_map>

#include "config/read_sink.h"
#include "daemon/admin/json_writer.h"
#include "daemon/admin/settings_json.h"
#include "daemon/admin/words.h"
#include "daemon/service/version.h"

namespace sessionlogd {
namespace {

// "" where nothing is known yet.
std::string text_of(const std::optional<Instant>& at) {
  std::string text;
  if (at) append_rfc3339(text, *at);
  return text;
}

std::optional<double> seconds_of(const std::optional<std::chrono::duration<double>>& span) {
  return span ? std::optional(span->count()) : std::nullopt;
}

template <class Number>
void write_by_word(JsonWriter& json, std::string_view name, const std::array<std::string_view, 4>& words,
                   const std::array<Number, 4>& counts) {
  json.key(name).begin('{');
  for (std::size_t i = 0; i < words.size(); ++i) json.member(words[i], counts[i]);
  json.end('}');
}

// Where a word is missing the count is 0: of thousands of sources most of them are.
template <class Number>
void write_counted(JsonWriter& json, std::string_view name, const std::array<std::string_view, 4>& words,
                   const std::array<Number, 4>& counts) {
  json.key(name).begin('{');
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (counts[i] != 0) json.member(words[i], counts[i]);
  }
  json.end('}');
}

template <class Number>
Number sum(const std::array<Number, 4>& counts) {
  return counts[0] + counts[1] + counts[2] + counts[3];
}

void write_process(JsonWriter& json, const FleetView& view) {
  const ProcessView& process = view.process;
  json.key("process")
      .begin('{')
      .member("version", kVersion)
      .member("started", process.started)
      .member("uptime_seconds", view.at.seconds - process.started.seconds)
      .member("config", process.config)
      .member("config_loaded", process.config_loaded)
      .member("memory_bytes", view.resident_bytes)
      .member("memory_limit_bytes", process.daemon.memory_bytes)
      .member("shards", process.threads)
      .key("not_ready")
      .begin('[');
  for (const std::string& reason : not_ready(view)) json.value(reason);
  json.end(']').key("settings");
  write_settings(json, process.daemon);
  if (!process.sources.empty()) {
    json.key("source_settings");
    write_usual_settings(json, *process.sources.front());
  }
  json.key("waits_for_restart").begin('[');
  for (const std::string& key : process.waits_for_restart) json.value(key);
  json.end(']').end('}');
}

void write_sink(JsonWriter& json, const FleetView& view) {
  json.key("sink")
      .begin('{')
      .member("type", type_of(view.process.sink))
      .member("name", view.process.sink_name)
      .member("state", view.sink.error.empty() ? "ok" : "waiting")
      .member("error", view.sink.error)
      .member("last_commit", text_of(view.sink.last_commit))
      .member("queue_bytes", view.queue_bytes)
      .member("queue_capacity_bytes", view.queue_capacity)
      .member("commits", view.sink.ok)
      .member("events", view.sink.events)
      .member("event_bytes", view.sink.event_bytes)
      .key("settings");
  write_settings(json, view.process.sink);
  json.end('}');
}

void write_verified(JsonWriter& json, const SourceView& source) {
  json.key("verified")
      .begin('{')
      .member("at", source.verified_at)
      .member("of", source.verified.of)
      .member("sessions", source.verified.sessions)
      .member("late", source.verified.late)
      .member("could_not", source.verified.could_not)
      .end('}');
}

// `settings` may be nullptr: the source comes or goes just now.
void write_source(JsonWriter& json, const SourceView& source, const SourceSettings* settings,
                  const SourceSettings* usual) {
  json.begin('{')
      .member("name", source.identity->name)
      .member("id", source.identity->id)
      .member("dialect", source.identity->dialect)
      .member("url", source.identity->url)
      .member("state", kConditionWords[static_cast<std::size_t>(source.condition)])
      .member("error", source.error)
      .member("last_poll", text_of(source.last_poll))
      .member("last_listing", text_of(source.last_listing));
  write_by_word(json, "sessions", kSessionWords, source.sessions);
  const SourceCounts& counts = source.counts;
  json.member("polls", sum(counts.polls())).member("entries", counts[Counted::kEntries]);
  json.member("events", sum(counts.events()));
  write_counted(json, "polls_by_result", kPollWords, counts.polls());
  write_counted(json, "events_by_change", kChangeWords, counts.events());
  json.member("sessions_late", counts[Counted::kLate])
      .member("not_json", counts[Counted::kNotJson])
      .member("lag_seconds", source.lag.count())
      .member("lateness_seconds", source.lateness.count())
      .member("entry_age_seconds", source.entry_age.count())
      .member("pace", source.pace)
      .member("sessions_failing", source.sessions_failing)
      .member("clock_offset_seconds", source.clock_offset.count())
      .key("response_seconds")
      .begin('{')
      .member("p50", seconds_of(source.response_p50))
      .member("p95", seconds_of(source.response_p95))
      .end('}')
      .member("waiting_until", source.waiting_until)
      .member("waiting_for",
              source.waiting_until ? kWaitWords[static_cast<std::size_t>(source.waiting_for)] : std::string_view{})
      .member("breaker_until", source.breaker_until)
      .member("token_expires", source.token_expires)
      .member("certificate_expires", source.certificate_expires);
  write_verified(json, source);
  if (settings != nullptr) {
    json.key("settings");
    write_settings(json, *settings, *usual);
  }
  json.end('}');
}

void write_group(JsonWriter& json, const GroupView& group) {
  json.key("group")
      .begin('{')
      .member("name", group.name)
      .member("is_member", group.is_member)
      .key("members")
      .begin('[');
  for (const MemberView& member : group.members) {
    json.begin('{').member("host", member.host).member("client_id", member.client_id).key("partitions").begin('[');
    for (const std::size_t partition : member.partitions) json.value(partition);
    json.end(']').end('}');
  }
  json.end(']').key("partitions").begin('[');
  for (const PartitionView& partition : group.partitions) {
    json.begin('{')
        .member("partition", partition.partition)
        .member("state", name_of(partition.state))
        .member("owner", partition.owner)
        .member("since", partition.since)
        .member("sources", partition.sources)
        .member("error", partition.why)
        .end('}');
  }
  json.end(']').key("elsewhere").begin('[');
  for (const auto& [source, host] : group.elsewhere)
    json.begin('{').member("name", source).member("host", host).end('}');
  json.end(']').key("unknown").begin('[');
  for (const std::string& id : group.unknown) json.value(id);
  json.end(']').end('}');
}

}  // namespace

std::string status_json(const FleetView& view) {
  JsonWriter json;
  json.begin('{');
  write_process(json, view);
  write_sink(json, view);
  if (view.process.group) write_group(json, *view.process.group);
  json.key("sources").begin('[');
  std::unordered_map<std::string_view, const SourceSettings*> settings;
  for (const auto& source : view.process.sources) settings.emplace(source->id, source.get());
  const SourceSettings* const usual = view.process.sources.empty() ? nullptr : view.process.sources.front().get();
  for (const SourceView* source : view.all_sources()) {
    const auto known = settings.find(source->identity->id);
    write_source(json, *source, known == settings.end() ? nullptr : known->second, usual);
  }
  json.end(']').end('}');
  return json.take() + "\n";
}

std::string reasons_json(std::string_view name, const std::vector<std::string>& reasons) {
  JsonWriter json;
  json.begin('{').member(name, reasons.empty()).key("reasons").begin('[');
  for (const std::string& reason : reasons) json.value(reason);
  json.end(']').end('}');
  return json.take() + "\n";
}

std::string recent_json(const std::deque<HistoryPoint>& history, const std::vector<Trouble>& troubles) {
  JsonWriter json;
  json.begin('{').member("step_seconds", Observatory::kStep.count()).key("points").begin('[');
  for (const HistoryPoint& point : history) {
    json.begin('{')
        .member("at", point.at)
        .member("events_per_second", point.events_per_second)
        .member("polls_per_second", point.polls_per_second)
        .member("lag_seconds", point.most_lag_seconds)
        .member("down", point.down)
        .end('}');
  }
  json.end(']').key("troubles").begin('[');
  for (const Trouble& trouble : troubles)
    json.begin('{').member("at", trouble.at).member("level", trouble.level).member("text", trouble.text).end('}');
  json.end(']').end('}');
  return json.take() + "\n";
}

}  // namespace sessionlogd
