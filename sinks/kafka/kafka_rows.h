// What the state topic holds. It is compacted, so every address has its latest value:
//
//   key "<source id>/<session key, 16 hex digits>/<part>"   value: the row, or null: removed
//   key "commit/<transactional id>"                         value: JSON, the last commit under that id
//
// All rows of a source lie in one partition, Java's default for its id, in the order in which they were committed. The
// commit record of a daemon lies in the first, where it is found whatever the number of partitions has become; that of
// a lane of one partition lies there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/state/batch.h"
#include "core/state/sink.h"

namespace sessionlogd {

struct RowAddress {
  std::string_view source_id;
  std::uint64_t session_key;
  std::int32_t part;
};

void append_row_key(std::string_view source_id, const StateRecord& record, std::string& to);

// nullopt: not the key of a row.
std::optional<RowAddress> parse_row_key(std::string_view key);

// Gives a record of the state topic on, when it is a row; one of a commit is passed over. Throws StateMismatch when it
// is neither.
void visit_row(std::string_view state_topic, std::string_view key, std::string_view value, StateVisitor& into);

std::int32_t partition_of_source(std::string_view source_id, std::int32_t partitions);
inline constexpr std::int32_t kCommitPartition = 0;

// One partition of the state topic, of a number that counts whatever the topic has by now.
struct StatePart {
  std::int32_t partition = 0, of = 0;
};

// Who commits to it.
std::string transactional_id_of(const StatePart& part, std::string_view state_topic);

// What one commit leaves behind, in the same transaction.
struct CommitRecord {
  std::uint64_t sequence = 0;
  std::string instance;  // of one run of the daemon, or one life of a lane
  std::string host;
  std::string time;
  std::int32_t partitions = 0;  // of the state topic: rows would be looked for in others if it changed
};

std::string commit_key(std::string_view transactional_id);
bool is_commit_key(std::string_view key);
std::string encode_commit(const CommitRecord& record);

// Throws StateMismatch when it is none of ours.
CommitRecord decode_commit(std::string_view value);

}  // namespace sessionlogd
