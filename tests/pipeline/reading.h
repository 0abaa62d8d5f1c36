// One session of one source as the daemon reads it: a built-in dialect, the ECS encoder and the session's state, fed
// with responses.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "core/entries/log_reader.h"
#include "core/state/batch_queue.h"
#include "sinks/formats/ecs.h"

namespace sessionlogd::test {

// A source of this name with the defaults of a configuration; its host is 10.0.0.5.
SourceSettings source_of(std::string_view dialect, std::string name);

enum class LastRead { kNo, kYes };

class Reading {
 public:
  Reading(SourceSettings settings, const SessionInfo& session);
  Reading(SourceSettings settings, SessionState session, const MemoryShares& shares = {});

  // Reads a response; what it emitted waits in batches().
  Result<ReadOutcome> try_read(std::string_view response, LastRead last = LastRead::kNo);

  // The same for a response that must be read: the lines it emitted, without event.created.
  std::vector<std::string> read(std::string_view response);

  // Says that entries are missing: the lines it emitted.
  std::vector<std::string> gap(GapKind kind);

  // Takes what was emitted since the last call.
  std::vector<Batch> take_batches();

  const SourceSettings& settings() const { return settings_; }
  const SessionState& session() const { return session_; }

 private:
  SourceSettings settings_;
  EcsEncoder encoder_;
  SourceFormat format_;
  BatchQueue queue_{std::size_t{1} << 40};
  std::uint64_t taken_ = 0;  // batches
  LogReader reader_;
  SessionState session_;
};

// The lines of batches, in order, each without its "\n". Fails the test when the index of a batch does not agree with
// its lines.
std::vector<std::string> lines_of(const std::vector<Batch>& batches);

// A line without its event.created, which must be a time of the last minute; fails the test when it is not.
std::string without_created(std::string_view line);

// The string at a JSON pointer ("/event/id"), "" when there is none. Fails the test when the line is not JSON.
std::string text_at(std::string_view line, std::string_view pointer);
std::vector<std::string> texts_at(const std::vector<std::string>& lines, std::string_view pointer);

// A log response of these entries, each a JSON object's text.
std::string aws_response(std::string_view session_id, const std::vector<std::string>& entries);
std::string azure_response(std::string_view session_id, const std::vector<std::string>& entries);

}  // namespace sessionlogd::test
