// What tests of the table of sessions share: a source, rows of its listings, and a table that takes them in.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/polling/session_table.h"

namespace sessionlogd::test {

inline constexpr Instant kToday{1'000'000, 0};

inline SourceSettings source() {
  Dialect dialect;
  dialect.sessions.final_words = {"Success"};
  SourceSettings settings;
  settings.id = settings.name = "aws-eu";
  settings.dialect = std::make_shared<const Dialect>(std::move(dialect));
  settings.poll.retention = std::chrono::hours{1};
  return settings;
}

// What a listing says of the session "38" that began at `start` (0: it says no start); `usn` stands for everything else
// in its digest.
inline ListedSession row(std::int64_t start, std::string status, std::uint32_t usn = 1) {
  ListedSession session;
  session.id = "38";
  session.status = std::move(status);
  if (start != 0) session.start = ReadTime{{start, 0}, true};
  session.digest = static_cast<std::uint64_t>(start) << 32 | usn;
  session.old_digest = session.digest;
  return session;
}

inline ListedSession named(std::string id, ListedSession row) {
  row.id = std::move(id);
  return row;
}

class SessionTableTest : public testing::Test {
 protected:
  SessionTable::TakenIn take_in(const ListedSession& listed, Showing how = {}) {
    records_.clear();
    how.inquiry = ++inquiry_;
    how.ours = how.theirs = kToday;
    return table_.take_in(listed, how, records_);
  }
  SessionTable::TakenIn sweep_shows(const ListedSession& listed) { return take_in(listed, {.by_sweep = true}); }
  void finish(Schedule::Slot slot) {
    records_.clear();
    table_.finish(slot, SessionTable::End::kRead, kToday, records_);
  }
  void deliver(Schedule::Slot slot, std::uint64_t key, std::uint32_t hash) {
    table_.at(slot).state.history.append(key, hash, 0);
  }
  std::uint64_t key_of(const SessionTable::TakenIn& taken) const { return table_.at(taken.slot).state.key; }
  // What the state would give back: rows of one session.
  RestoredSource restored() {
    RestoredState state;
    for (const StateRecord& record : all_) state.record("aws-eu", record);
    return state.take("aws-eu");
  }

  SourceSettings settings_ = source();
  SessionTable table_{settings_, {}, kToday};
  std::vector<StateRecord> records_, all_;
  std::uint32_t inquiry_ = 0;
};

}  // namespace sessionlogd::test
