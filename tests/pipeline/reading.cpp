#include "tests/pipeline/reading.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "core/base/json_text.h"
#include "core/state/identity.h"
#include "sinks/file/output_line.h"
#include "tests/support/built_in.h"

namespace sessionlogd::test {
namespace {

SessionState open_session(const SourceSettings& settings, const SessionInfo& info) {
  SessionState session;
  session.key = session_key(settings.id, info.id);
  session.phase = Phase::kOpen;
  session.info = info;
  return session;
}

std::string response_of(std::string_view named, std::string_view session_id, const std::vector<std::string>& entries) {
  std::string response = "{\"";
  response.append(named).append("\":");
  append_json_string(response, session_id);
  return response + fmt::format(",\"log\":[{}]}}", fmt::join(entries, ","));
}

}  // namespace

SourceSettings source_of(std::string_view dialect, std::string name) {
  SourceSettings settings;
  settings.id = name;
  settings.name = std::move(name);
  settings.dialect = built_in_dialect(dialect);
  settings.host = "10.0.0.5";
  return settings;
}

Reading::Reading(SourceSettings settings, const SessionInfo& session)
    : Reading(settings, open_session(settings, session)) {}

Reading::Reading(SourceSettings settings, SessionState session, const MemoryShares& shares)
    : settings_(std::move(settings)),
      encoder_(settings_, "host-1", "0.1.0"),
      format_{settings_.id,
              settings_.dialect.get(),
              ZoneRules(settings_.time_zone),
              settings_.keep_original,
              settings_.poll.changes == Changes::kFinal,
              &encoder_,
              &queue_},
      reader_(shares),
      session_(std::move(session)) {}

Result<ReadOutcome> Reading::try_read(std::string_view response, LastRead last) {
  Body body;
  body.append(response);
  return reader_.read(format_, session_, body, last == LastRead::kYes);
}

std::vector<std::string> Reading::read(std::string_view response) {
  const auto outcome = try_read(response);
  EXPECT_TRUE(outcome.has_value()) << outcome.error().detail;
  if (outcome.has_error()) return {};
  EXPECT_EQ(outcome->fault, "");
  std::vector<std::string> lines = lines_of(take_batches());
  EXPECT_EQ(outcome->events(), lines.size());
  for (std::string& line : lines) line = without_created(line);
  return lines;
}

std::vector<std::string> Reading::gap(GapKind kind) {
  reader_.gap(format_, session_, kind, "for a test");
  return lines_of(take_batches());
}

std::vector<Batch> Reading::take_batches() {
  std::vector<Batch> batches;
  if (queue_.pushed() == taken_) return batches;  // take() would wait for one
  queue_.take(batches, 0, std::chrono::milliseconds{0});
  taken_ = queue_.pushed();
  return batches;
}

std::vector<std::string> lines_of(const std::vector<Batch>& batches) {
  std::vector<std::string> lines;
  OutputLineReader reader;
  for (const Batch& batch : batches) {
    std::string_view rest = batch.events;
    for (const EventRef& ref : batch.index) {
      EXPECT_EQ(rest.find('\n') + 1, ref.size) << "a line ends where the index does not say so";
      std::string line(rest.substr(0, ref.size - 1));
      const auto event = reader.read((line + std::string(OutputLineReader::kPadding, ' ')).data(), line.size());
      EXPECT_TRUE(event && event->entry_key == ref.entry_key && event->hash == ref.hash &&
                  event->log_time == ref.log_time)
          << "the index says something else of this line: " << line;
      lines.push_back(std::move(line));
      rest.remove_prefix(ref.size);
    }
    EXPECT_TRUE(rest.empty()) << "behind the last line of the index: " << rest;
  }
  return lines;
}

std::string without_created(std::string_view line) {
  static constexpr std::string_view kName = ",\"created\":\"";
  const std::size_t begin = line.find(kName);
  const std::size_t end = begin == line.npos ? line.npos : line.find('"', begin + kName.size());
  if (end == line.npos) {
    ADD_FAILURE() << "no event.created: " << line;
    return std::string(line);
  }
  const auto created = parse_rfc3339(line.substr(begin + kName.size(), end - begin - kName.size()));
  const std::int64_t now = system_now().seconds;
  EXPECT_TRUE(created && created->zoned && created->instant.seconds <= now && created->instant.seconds > now - 60)
      << line;
  return std::string(line.substr(0, begin)).append(line.substr(end + 1));
}

std::string text_at(std::string_view line, std::string_view pointer) {
  simdjson::dom::parser parser;
  simdjson::dom::element document;
  if (parser.parse(simdjson::padded_string(line)).get(document)) {
    ADD_FAILURE() << "no JSON: " << line;
    return {};
  }
  std::string_view text;
  return document.at_pointer(pointer).get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::vector<std::string> texts_at(const std::vector<std::string>& lines, std::string_view pointer) {
  std::vector<std::string> texts;
  for (const std::string& line : lines) texts.push_back(text_at(line, pointer));
  return texts;
}

std::string aws_response(std::string_view session_id, const std::vector<std::string>& entries) {
  return response_of("sessionId", session_id, entries);
}

std::string azure_response(std::string_view session_id, const std::vector<std::string>& entries) {
  return response_of("jobSessionId", session_id, entries);
}

}  // namespace sessionlogd::test
