// What the state topic holds. It is compacted, so every address has its latest value:
//
//   key "<source id>/<session key, 16 hex digits>/<part>"   value: the row, or null: removed
//   key "commit/<transactional id>"                         value: JSON, the last commit under that id
//   key "commit/<state topic>-group"                        value: JSON, the group whose state this is
//
// All rows of a source lie in one partition, Java's default for its id, in the order in which they were committed. The
// commit record of a daemon lies in the first, where it is found whatever the number of partitions has become; that of
// a lane of one partition lies there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/settings.h"
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
KafkaSinkSettings lane_settings(KafkaSinkSettings settings, const StatePart& part);

// What all members of a group must agree on, and what a state topic belongs to once it has a group.
struct GroupBond {
  std::string group, topic, format;

  bool operator==(const GroupBond&) const = default;
};

GroupBond bond_of(const KafkaSinkSettings& settings, std::string_view format);

// Why a configuration cannot be that of a member of the group whose record was found; "" = it can.
std::string mismatch_of(std::string_view state_topic, const GroupBond& found, const GroupBond& ours);

// What one commit leaves behind, in the same transaction.
struct CommitRecord {
  std::uint64_t sequence = 0;
  std::string instance;  // of one run of the daemon, or one life of a lane
  std::string host;
  std::string time;
  std::int32_t partitions = 0;  // of the state topic: rows would be looked for in others if it changed
  // Of lanes of single partitions only.
  std::int32_t version = 0;                    // of the lanes' records; 0: it is none of a lane's
  std::optional<std::int64_t> log_start = {};  // the partition's first offset when the lane took it over
  GroupBond bond = {};
};
inline constexpr std::int32_t kLaneVersion = 1;  // what a later one writes an older member must not read

std::string commit_key(std::string_view transactional_id);
bool is_commit_key(std::string_view key);
std::string encode_commit(const CommitRecord& record);

// A lane's first record, which it goes on from: no lane has written it.
bool is_of_the_founding(const CommitRecord& record);

// Throws StateMismatch when it is none of ours, or of a later version.
CommitRecord decode_commit(std::string_view value);

// In the first partition, once and for all. Its first form, with no partitions, says that somebody is about to found
// the group.
struct GroupRecord {
  std::int32_t partitions = 0;  // each member counts them so, whatever becomes of the topic
  GroupBond bond;
};
std::string founders_id(std::string_view state_topic);
std::string group_key(std::string_view state_topic);

std::string encode_group(const GroupRecord& record, const CommitRecord& by);
GroupRecord decode_group(std::string_view value);  // as decode_commit()

// For who has no group: throws StateMismatch when the topic has one. `value`: the last under group_key(), or "".
void refuse_group(std::string_view state_topic, std::string_view value);

}  // namespace sessionlogd
