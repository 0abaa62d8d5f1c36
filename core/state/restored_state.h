// The state of all sources as it was made durable, put together again at start; each source then takes its own part
// away.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/state/done_marks.h"
#include "core/state/kept_fingerprints.h"
#include "core/state/session_state.h"
#include "core/state/sink.h"

namespace sessionlogd {

// What a version that kept no fingerprints remembered of done sessions beside their marks: entries without a readable
// time, or not in a final state. By session_key; few.
using KeptEntries = std::unordered_map<std::uint64_t, SessionHistory>;

struct RestoredSource {
  SourceState source;
  std::unordered_map<std::uint64_t, SessionState> sessions;  // not done, by session_key
  DoneMarks done;
  KeptFingerprints fingerprints;
  KeptEntries kept;
};

class RestoredState : public StateVisitor {
 public:
  void record(std::string_view source_id, const StateRecord& record) override;
  void delivered(const Delivered& event) override;
  std::vector<Batch> settle() override;

  // Of which anything is known and was not taken.
  std::vector<std::string> source_ids() const;

  // Once all rows were given: joins each session with its keys. Empty when nothing is known of the source.
  RestoredSource take(std::string_view source_id);

 private:
  // Keys in chunks, as rows come in any order.
  using Chunks = std::map<std::int32_t, std::string>;

  struct Source {
    RestoredSource restored;
    std::unordered_map<std::uint64_t, Chunks> chunks;
    bool line_limit_raised = false;  // since settle()
  };
  // A session that the output behind the committed position speaks of.
  struct Touched {
    std::unordered_map<std::uint64_t, std::uint32_t> positions;  // key, or half of it -> position in its history
    std::vector<std::uint32_t> changed;
    bool opened = false;  // it was done
  };

  void end_those_before(const std::string& source_id, const SessionState& later, std::vector<StateRecord>& records);
  void end_given_away(std::vector<Batch>& batches);
  static void raise_line_limit(Source& source, const Delivered& event);
  static void remove(Source& source, const StateRecord& record);
  SessionState& session_of(Source& source, const Delivered& event, bool& opened);
  static void append_rows(const Chunks& chunks, SessionHistory& history);
  static void join_chunks(Source& source, std::uint64_t key, SessionHistory& history);
  static void join_fingerprints(Source& source);

  std::unordered_map<std::string, Source> sources_;
  std::map<std::pair<std::string, std::uint64_t>, Touched> touched_;
};

}  // namespace sessionlogd
