#include "bench/many_sessions.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "config/load.h"
#include "core/polling/session_table.h"

namespace sessionlogd {

SourceSettings some_source() {
  SourceSettings source;
  source.name = source.id = "aws-eu";
  const BuiltInDialect& built_in = built_in_dialects().front();
  source.dialect =
      std::make_shared<const Dialect>(std::get<Dialect>(parse_dialect(built_in.toml, std::string(built_in.name))));
  return source;
}

ListedSession listed_session(std::uint32_t number) {
  ListedSession session;
  session.id = fmt::format("90faa259-fbf6-493a-b492-{:012x}", number);
  session.type = "Policy";
  session.name = "nightly backup of fra1";
  session.status = "Running";
  session.start = ReadTime{{1'792'680'320 + number, 0}, true};
  session.digest = number * 0x9E3779B97F4A7C15u;
  session.old_digest = session.digest;
  return session;
}

void know_entries(SessionHistory& history, std::uint64_t seed) {
  for (std::uint32_t entry = 0; entry < kKnownEntries; ++entry)
    history.append(seed + entry * 0x9E3779B97F4A7C15u, entry, 0);
}

std::vector<Batch> rows_of_source(std::uint32_t source) {
  Batch batch;
  batch.source_id = fmt::format("source-{}", source);
  const std::uint32_t first = source * kSessionsPerSource;
  for (std::uint32_t number = first; number < first + kSessionsPerSource; ++number) {
    SessionState state;
    state.key = (number + 1) * 0x9E3779B97F4A7C15u;
    const std::string id = listed_session(number).id;
    state.info = SessionInfo{.id = id, .type = "Policy", .status = "Running"};
    state.phase = number % kOneOpenOf == 0 ? Phase::kOpen : Phase::kDone;
    know_entries(state.history, state.key);
    if (state.phase == Phase::kDone) {
      append_done(state, {.sum = state.history.sum(), .made = {1'792'680'320, 0}}, batch.records);
    } else {
      batch.records.push_back({state.key, StateRecord::kSessionPart, encode_session(state)});
      append_chunks(state, {0}, batch.records);
    }
  }
  std::vector<Batch> batches;
  batches.push_back(std::move(batch));
  return batches;
}

std::size_t hand_out(RestoredState& restored) {
  const SourceSettings source = some_source();
  std::vector<std::unique_ptr<SessionTable>> tables;
  for (const std::string& id : restored.source_ids())
    tables.push_back(std::make_unique<SessionTable>(source, restored.take(id), system_now()));
  std::size_t sessions = 0;
  for (const auto& table : tables) sessions += table->size() + table->done();
  return sessions;
}

}  // namespace sessionlogd
