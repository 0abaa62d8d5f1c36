// What a response costs: parsing and dedup of entries that are all known, against a bare simdjson walk over the same
// raw tokens; the same of entries that are not known by their bytes any more; the hash of an unchanged body; new
// entries all the way to encoded lines, in each format.
//
// Bodies have 100 entries as the AWS product writes them, 20 KB. `bench/run` prints the ratios.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <memory>
#include <string>
#include <variant>

#include "config/load.h"
#include "core/base/body_hash.h"
#include "core/entries/log_reader.h"
#include "sinks/formats/formats.h"

namespace sessionlogd {
namespace {

constexpr int kEntries = 100;
// Read in turn: what is remembered of them is more than the nearer caches hold.
constexpr int kSessions = 300;
constexpr std::string_view kSession = "90faa259-fbf6-493a-b492-e59e1cfbe3a6";

Body make_body() {
  std::string text = fmt::format(R"({{"sessionId":"{}","log":[)", kSession);
  for (int i = 0; i < kEntries; ++i) {
    text += fmt::format(
        R"({}{{"status":"Success","logTime":"2020-06-20T19:{:02}:13.{:06}","message":"Creating snapshot snap-{:08x} of volume vol-0a1b2c3d4e5f","executionStartTime":"2020-06-20T18:12:04.{:06}","executionDuration":{}}})",
        i == 0 ? "" : ",", i % 60, 100'000 + i, i, 200'000 + i, i);
  }
  Body body;
  body.append(text + "]}");
  return body;
}

SourceSettings make_source() {
  SourceSettings source;
  source.name = source.id = "aws-eu";
  source.host = "10.0.0.5";
  const BuiltInDialect& built_in = built_in_dialects().front();
  source.dialect =
      std::make_shared<const Dialect>(std::get<Dialect>(parse_dialect(built_in.toml, std::string(built_in.name))));
  return source;
}

SessionState make_session(const SourceSettings& source) {
  SessionState session;
  session.info = SessionInfo{.id = kSession};
  session.key = session_key(source.id, kSession);
  return session;
}

void count(benchmark::State& state, const Body& body) {
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * body.size()));
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * kEntries);
}

void BareSimdjsonWalk(benchmark::State& state) {
  const Body body = make_body();
  simdjson::ondemand::parser parser;
  for (auto _ : state) {
    std::size_t bytes = 0;
    simdjson::ondemand::document document;
    if (parser.iterate(body.text().data(), body.size(), body.size() + Body::kPadding).get(document))
      state.SkipWithError("iterate");
    for (auto element : document["log"]) {
      simdjson::ondemand::object entry = element.get_object();
      for (auto field : entry) bytes += std::string_view(field.value().raw_json_token()).size();
    }
    benchmark::DoNotOptimize(bytes);
  }
  count(state, body);
}
BENCHMARK(BareSimdjsonWalk);

void parse_and_compare(benchmark::State& state, KnownEntries* known) {
  const Body body = make_body();
  const SourceSettings source = make_source();
  std::vector<SessionState> sessions;
  for (int i = 0; i < kSessions; ++i) {
    sessions.push_back(make_session(source));
    sessions.back().key = session_key(source.id, std::to_string(i));
  }
  LogParser parser;
  HistoryComparer comparer;
  std::vector<EntryDigest> digests;
  const auto compare = [&](const SessionState& session) {
    const auto log = parser.parse(*source.dialect, body, kSession, session.key, {}, {known, session.key});
    digests.clear();
    for (const Entry& entry : (*log)->entries) digests.push_back({entry.base, entry.hash, entry.final});
    return comparer.compare(session.history, digests, session.key, {}, &parser);
  };
  for (SessionState& session : sessions) {
    for (const Emission& emission : compare(session)) session.history.advance(emission);
  }
  std::size_t turn = 0;
  for (auto _ : state) {
    if (!compare(sessions[turn++ % sessions.size()]).empty()) state.SkipWithError("a known entry was new");
  }
  count(state, body);
}

void ParseAndCompareKnown(benchmark::State& state) {
  KnownEntries known(MemoryShares().known_entries);
  parse_and_compare(state, &known);
}
BENCHMARK(ParseAndCompareKnown);

void ParseAndCompareForgotten(benchmark::State& state) { parse_and_compare(state, nullptr); }
BENCHMARK(ParseAndCompareForgotten);

void HashUnchangedBody(benchmark::State& state) {
  const Body body = make_body();
  for (auto _ : state) benchmark::DoNotOptimize(hash_body(body.text()));
  count(state, body);
}
BENCHMARK(HashUnchangedBody);

void new_entries_to(benchmark::State& state, const Format& to) {
  const Body body = make_body();
  const SourceSettings source = make_source();
  const std::unique_ptr<Encoder> encoder = to.encoder(source, SinkSettings{}, "host-1", "0.1.0");
  BatchQueue queue(std::size_t{1} << 40);
  const SourceFormat format{.source_id = source.id,
                            .dialect = source.dialect.get(),
                            .zone = ZoneRules(source.time_zone),
                            .encoder = encoder.get(),
                            .queue = &queue};
  LogReader reader;
  std::vector<Batch> taken;
  for (auto _ : state) {
    SessionState session = make_session(source);
    const auto outcome = reader.read(format, session, body, false);
    if (outcome->events_new != kEntries) state.SkipWithError("an entry was not new");
    queue.take(taken, 0, std::chrono::milliseconds{0});
    taken.clear();
  }
  count(state, body);
}

}  // namespace
}  // namespace sessionlogd

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  for (const sessionlogd::Format* format : sessionlogd::formats()) {
    benchmark::RegisterBenchmark(("NewEntriesTo/" + std::string(format->name)).c_str(),
                                 [format](benchmark::State& state) { sessionlogd::new_entries_to(state, *format); });
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
