#include <fmt/core.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/base/printable.h"
#include "core/state/identity.h"
#include "core/state/restored_state.h"
#include "core/state/session_state.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/with_settings.h"
#include "sinks/make_sink.h"

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
  std::map<std::int32_t, std::size_t> chunks;  // by part: how many entries

  std::size_t entries() const {
    std::size_t sum = 0;
    for (const auto& [part, entries] : chunks) sum += entries;
    return sum;
  }
};

struct KnownSource {
  bool has_row = false;
  SourceState source;
  std::map<std::uint64_t, KnownSession> sessions;  // by session_key
};

// Takes the committed rows as they stand; of those with one address the last counts.
class Rows : public StateVisitor {
 public:
  void record(std::string_view source_id, const StateRecord& record) override {
    if (record.value.empty()) {
      remove(source_id, record);
      return;
    }
    KnownSource& source = sources[std::string(source_id)];
    if (record.part == StateRecord::kSourcePart) {
      source.source = decode_source(record.value);
      source.has_row = true;
    } else if (record.part == StateRecord::kSessionPart) {
      source.sessions[record.session_key].state = decode_session(record.value);
    } else {
      SessionHistory keys;
      decode_chunk(record.value, keys);
      source.sessions[record.session_key].chunks[record.part] = keys.size();
    }
  }
  void delivered(const Delivered&) override {}
  std::vector<Batch> settle() override { return {}; }

  std::map<std::string, KnownSource, std::less<>> sources;

 private:
  // The rows of a session or a source go one by one, in any order; what has none left is not there.
  void remove(std::string_view source_id, const StateRecord& record) {
    const auto source = sources.find(source_id);
    if (source == sources.end()) return;
    if (record.part == StateRecord::kSourcePart) {
      source->second.has_row = false;
    } else if (const auto session = source->second.sessions.find(record.session_key);
               session != source->second.sessions.end()) {
      if (record.part == StateRecord::kSessionPart) {
        source->second.sessions.erase(session);
      } else {
        session->second.chunks.erase(record.part);
      }
    }
    if (!source->second.has_row && source->second.sessions.empty()) sources.erase(source);
  }
};

void show_sources(const Rows& rows) {
  fmt::print("{:<32} {:<28} {:<28} {:>8} {:>8} {:>8} {:>8} {:>10}\n", "source", "listed to", "line", "waiting", "open",
             "settling", "done", "entries");
  for (const auto& [id, source] : rows.sources) {
    std::array<std::size_t, 4> phases{};
    std::size_t entries = 0;
    for (const auto& [key, session] : source.sessions) {
      ++phases[static_cast<std::size_t>(session.state.phase)];
      entries += session.entries();
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
               session.entries());
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
               time_text(info.stop), at->second.entries());
  }
}

// What an operator calls a source is its name; the state knows its id.
std::string id_of(const Settings& settings, const std::string& source) {
  const auto named = std::ranges::find(settings.sources, source, &SourceSettings::name);
  return named == settings.sources.end() ? source : named->id;
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

}  // namespace

int state_show(const std::string& config_file, const std::string& source, const std::string& session) {
  return with_settings(config_file, [&](const Settings& settings) {
    Rows rows;
    const std::string where = acts_of(settings)->read_state(rows);
    if (source.empty()) {
      fmt::print("{}", where);
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
    RestoredState restored;
    Reach reach(restored);
    const RebuiltState made = acts_of(settings)->rebuild_state(reach);
    fmt::print("The state knows {} events now, with log times from {} to {}, {}.\n{}", reach.events,
               time_text(reach.earliest), time_text(reach.latest), made.from, made.notes);
    return kWell;
  });
}

int state_init(const std::string& config_file) {
  return with_settings(config_file, [](const Settings& settings) {
    if (!group_of(settings.sink).empty()) {
      throw WrongSetting(
          "`state init` is for a daemon without sink.group: to begin anew, stop every member and give the "
          "group another state_topic and another topic");
    }
    fmt::print("{}", acts_of(settings)->init_state());
    return kWell;
  });
}

}  // namespace sessionlogd
