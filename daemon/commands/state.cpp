#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "core/identity.h"
#include "core/printable.h"
#include "core/restored_state.h"
#include "core/session_state.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/with_settings.h"
#include "sinks/file_journal.h"
#include "sinks/file_state.h"
#include "sinks/formats.h"
#include "sinks/kafka_sink.h"

namespace sessionlogd {
namespace {

std::string time_text(const std::optional<Instant>& at) {
  if (!at || at->seconds == INT64_MIN) return "-";
  std::string text;
  append_rfc3339(text, *at);
  return text;
}

const char* word(Phase phase) {
  constexpr std::array kWords = {"waiting", "open", "settling", "done"};
  return kWords[static_cast<std::size_t>(phase)];
}

struct KnownSession {
  SessionState state;
  DoneMark mark;  // of a done one
  std::size_t entries = 0;
};

struct KnownSource {
  SourceState source;
  std::map<std::uint64_t, KnownSession> sessions;  // by session_key
};

// Takes the rows as they stand, without the lines behind the committed position: a running daemon knows more.
class Rows : public StateVisitor {
 public:
  void record(std::string_view source_id, const StateRecord& record) override {
    KnownSource& source = sources[std::string(source_id)];
    if (record.part == StateRecord::kSourcePart) {
      source.source = decode_source(record.value);
    } else if (record.part == StateRecord::kSessionPart) {
      KnownSession& session = source.sessions[record.session_key];
      session.state = decode_session(record.value);
      if (session.state.phase == Phase::kDone) session.mark = decode_mark(record.value);
    } else {
      SessionHistory keys;
      decode_chunk(record.value, keys);
      source.sessions[record.session_key].entries += keys.size();
    }
  }
  void delivered(const Delivered&) override {}
  std::vector<Batch> settle() override { return {}; }

  std::map<std::string, KnownSource> sources;
};

void show_sources(const Rows& rows) {
  fmt::print("{:<32} {:<28} {:<28} {:>8} {:>8} {:>8} {:>8} {:>10}\n", "source", "listed to", "line", "waiting", "open",
             "settling", "done", "entries");
  for (const auto& [id, source] : rows.sources) {
    std::array<std::size_t, 4> phases{};
    std::size_t entries = 0;
    for (const auto& [key, session] : source.sessions) {
      ++phases[static_cast<std::size_t>(session.state.phase)];
      entries += session.entries;
    }
    fmt::print("{:<32} {:<28} {:<28} {:>8} {:>8} {:>8} {:>8} {:>10}\n", id, time_text(source.source.listed_to),
               time_text(source.source.line), phases[0], phases[1], phases[2], phases[3], entries);
  }
}

void show_sessions(const KnownSource& source) {
  fmt::print("{:<38} {:<16} {:<9} {:<16} {:<28} {:>8}\n", "session", "key", "phase", "status", "latest log time",
             "entries");
  for (const auto& [key, session] : source.sessions) {
    const SessionState& state = session.state;
    const SessionInfo info = state.info.view();
    fmt::print("{:<38} {:016x} {:<9} {:<16} {:<28} {:>8}\n", state.phase == Phase::kDone ? "-" : printable(info.id),
               key, word(state.phase), info.status.empty() ? "-" : printable(info.status), time_text(state.latest),
               session.entries);
  }
  fmt::print("Of a done session only the key, the digest of its listing and its latest log time are kept.\n");
}

// Every generation of an id: the mark of a done one knows no id, but the id gives the key.
bool show_session(const std::string& source_id, const KnownSource& source, const std::string& id) {
  bool found = false;
  for (std::uint32_t generation = 0;; ++generation) {
    const auto at = source.sessions.find(session_key(source_id, id, generation));
    if (at == source.sessions.end()) return found;
    found = true;
    const SessionState& state = at->second.state;
    fmt::print("session          {}\ngeneration       {}\nkey              {:016x}\nphase            {}\n", id,
               generation, at->first, word(state.phase));
    fmt::print("digest           {:016x}\nlatest log time  {}\n", state.digest, time_text(state.latest));
    if (state.phase == Phase::kDone) continue;
    const SessionInfo info = state.info.view();
    fmt::print("status           {}\ntype             {}\nname             {}\n", printable(info.status),
               printable(info.type), printable(info.name));
    fmt::print("start            {}\nstop             {}\nentries          {}\n", time_text(info.start),
               time_text(info.stop), at->second.entries);
  }
}

// What an operator calls a source is its name; the state knows its id.
std::string id_of(const Settings& settings, const std::string& source) {
  const auto named = std::ranges::find(settings.sources, source, &SourceSettings::name);
  return named == settings.sources.end() ? source : named->id;
}

bool keeps_state(const Settings& settings) {
  if (settings.sink.kafka) {
    spdlog::error("the state is in Kafka, in topic {}: only `state init` works on it",
                  settings.sink.kafka->state_topic);
    return false;
  }
  if (settings.sink.keeps_state()) return true;
  spdlog::error("sink.path is \"-\": standard output, of which no state is kept");
  return false;
}

// Forwards, and knows how far the output reaches.
class Reach : public StateVisitor {
 public:
  explicit Reach(StateVisitor& to) : to_(to) {}
  void record(std::string_view source_id, const StateRecord& record) override { to_.record(source_id, record); }
  void delivered(const Delivered& event) override {
    ++events;
    if (event.log_time) earliest = earliest ? std::min(*earliest, *event.log_time) : *event.log_time;
    if (event.log_time) latest = latest ? std::max(*latest, *event.log_time) : *event.log_time;
    to_.delivered(event);
  }
  std::vector<Batch> settle() override { return to_.settle(); }

  std::uint64_t events = 0;
  std::optional<Instant> earliest, latest;

 private:
  StateVisitor& to_;
};

void say_moved(const NewState& made) {
  for (const std::string& path : made.moved_aside) fmt::print("The state before is kept as {}\n", path);
}

}  // namespace

int state_show(const std::string& config_file, const std::string& source, const std::string& session) {
  return with_settings(config_file, [&](const Settings& settings) {
    if (!keeps_state(settings)) return kNotWell;
    const std::string path = settings.daemon.state_dir + "/state.db";
    if (!std::filesystem::exists(path)) {
      spdlog::error("there is no state at {}", path);
      return kNotWell;
    }
    FileJournal journal = FileJournal::open_to_read(path);
    const std::optional<OutputPosition> position = journal.read_position();
    Rows rows;
    journal.read_rows(rows);
    if (source.empty()) {
      fmt::print("state   {}\n", path);
      if (position)
        fmt::print("output  {} (file {}): {} bytes committed\n", position->path, position->sequence, position->offset);
      show_sources(rows);
      return kWell;
    }
    const std::string id = id_of(settings, source);
    const auto known = rows.sources.find(id);
    if (known == rows.sources.end()) {
      spdlog::error("the state knows no source {}", source);
      return kNotWell;
    }
    if (session.empty()) {
      show_sessions(known->second);
      return kWell;
    }
    if (show_session(id, known->second, session)) return kWell;
    spdlog::error("the state knows no session {} of {}", session, source);
    return kNotWell;
  });
}

int state_rebuild(const std::string& config_file) {
  return with_settings(config_file, [](const Settings& settings) {
    if (!keeps_state(settings)) return kNotWell;
    const Format& format = format_named(settings.sink.format);
    RestoredState restored;
    Reach reach(restored);
    const NewState made = rebuild_state(settings.daemon.state_dir, settings.sink.file, format, reach);
    fmt::print("The state knows {} events now, with log times from {} to {}, from the output's file {} on.\n",
               reach.events, time_text(reach.earliest), time_text(reach.latest), made.first_file);
    if (made.gap_before) {
      fmt::print("There are older files, but the one with number {} is missing, so they were not read.\n",
                 made.first_file - 1);
    }
    fmt::print(
        "What stood in files before that is delivered again as far as the sources still hold it within `lookback`.\n");
    say_moved(made);
    return kWell;
  });
}

int state_init(const std::string& config_file) {
  return with_settings(config_file, [](const Settings& settings) {
    if (settings.sink.kafka) {
      const std::uint64_t removed =
          KafkaSink(*settings.sink.kafka, format_named(settings.sink.format), {}).begin_anew();
      fmt::print(
          "The state knows nothing now: {} rows of topic {} were removed. What the sources still hold within "
          "`lookback` "
          "is delivered again.\n",
          removed, settings.sink.kafka->state_topic);
      return kWell;
    }
    if (!keeps_state(settings)) return kNotWell;
    const NewState made = init_state(settings.daemon.state_dir, settings.sink.file, format_named(settings.sink.format));
    fmt::print(
        "The state knows nothing now. The output stays as it is; what the sources still hold within `lookback` is "
        "delivered again behind it, from file {} on.\n",
        made.first_file);
    say_moved(made);
    return kWell;
  });
}

}  // namespace sessionlogd
