// What remains of the sessions of a source that are done or left alone: a mark of each, and what was delivered of it
// where there is room. Marks stay as long as sweeps show their ids, and some time longer. What must be remembered of a
// change is appended to `records`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/timestamp.h"
#include "core/base/watched_time.h"
#include "core/state/batch.h"
#include "core/state/done_marks.h"
#include "core/state/kept_fingerprints.h"
#include "core/state/restored_state.h"
#include "core/state/session_state.h"

namespace sessionlogd {

class SessionMarks {
 public:
  // Takes them out of `restored`.
  explicit SessionMarks(RestoredSource& restored);
  // Nothing is left here.
  void release(RestoredSource& to);

  std::optional<DoneMark> find(std::uint64_t key) const { return done_.find(key); }
  std::size_t size() const { return done_.size(); }
  std::size_t fingerprint_bytes() const { return fingerprints_.bytes(); }
  // How much fingerprints may take.
  void set_fingerprint_bytes(std::size_t most) { most_fingerprint_bytes_ = most; }
  // How many were delivered, and done at `since` or later.
  std::size_t delivered_since(Instant since) const;
  // The latest log time that marks of a version before name; kNever: none does.
  Instant latest() const;

  void put(std::uint64_t key, const DoneMark& mark, std::vector<StateRecord>& records);
  // Of a session that was read to its end or is given up. Its state is of no use afterwards.
  void put_end(SessionState& state, Instant now, std::vector<StateRecord>& records);
  // A listing shows its id.
  void shown(std::uint64_t key, DoneMark& mark, std::vector<StateRecord>& records);
  // It is opened again: `state` takes what was delivered of it, and the mark goes.
  void take(const DoneMark& mark, SessionState& state);
  // The same for one that was delivered, and all of it stays.
  void look(const DoneMark& mark, SessionState& state) const;
  // Of what is to be read as if it were new.
  void forget(std::uint64_t key) { done_.erase(key); }

  // A listing of everything begins.
  void begin_sweep() { done_.begin_sweep(); }
  // What it says of a mark that it did not show.
  enum class Absence {
    kOfAll,
    kOfThoseWithStart,  // it went through slices of start times
    kProvesNothing,     // a part of it was shown to an earlier run
  };
  // It has shown everything. Marks of ids that it did not show are absent; those that were by the last three, of which
  // the first ended at `third_last`, and for `retention`, are dropped. Returns how many.
  std::size_t end_sweep(Watched now, std::optional<Watched> third_last, Absence absence,
                        std::chrono::milliseconds retention, std::vector<StateRecord>& records);

  // Drops those that were left alone and began at `since` or later; with `again` also what a version before had been
  // done with. Returns how many.
  std::size_t forget_left_alone(Instant since, bool again, std::vector<StateRecord>& records);

 private:
  void remove(std::uint64_t key, std::vector<StateRecord>& records);
  void keep_bound(std::vector<StateRecord>& records);

  DoneMarks done_;
  KeptFingerprints fingerprints_;
  KeptEntries kept_;
  std::size_t most_fingerprint_bytes_ = std::size_t{1} << 40;
};

}  // namespace sessionlogd
