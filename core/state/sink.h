// Makes batches durable, and knows at start what is durable already.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/timestamp.h"
#include "core/state/batch.h"

namespace sessionlogd {

// An event that is in the output although its state was never committed: found by a sink whose output is its
// write-ahead log.
struct Delivered {
  std::string_view source_id;
  std::string_view session_id;
  std::uint64_t session_key;
  std::uint64_t entry_key;
  std::uint32_t hash;
  std::optional<Instant> log_time = std::nullopt;  // nullopt: none that could be read
  std::optional<Instant> read_at = std::nullopt;   // our clock; nullopt: the output does not say it
};

// Takes the durable state apart; implemented by core/restored_state.
class StateVisitor {
 public:
  virtual ~StateVisitor() = default;

  // One committed row. Rows come in any order, all of them before the first delivered(); one with the address of an
  // earlier one replaces it, and an empty one removes it. A row that cannot be read (another version, damaged) throws
  // StateMismatch.
  virtual void record(std::string_view source_id, const StateRecord& record) = 0;

  // In the order of the output.
  virtual void delivered(const Delivered& event) = 0;

  // The rows that make the state agree with all that was delivered() since the last call: to be committed before
  // recovery ends.
  virtual std::vector<Batch> settle() = 0;
};

// State and output do not belong together, or are not ours: nothing is guessed, the daemon exits with status 78. what()
// names the files and the ways out.
struct StateMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A setting that only the sink itself can judge is wrong: exit status 78. what() names every one.
struct WrongSetting : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Another daemon has taken over while we started: exit status 79. what() names it.
struct FencedAtStart : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The state or the output is in use. what() says by whom.
struct InUse : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Storage has no room, or is not there, for the moment: recover() may be called again, with a visitor that knows
// nothing yet. what() says where.
struct TryLater : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// commit() returns success only when the events *and* the state changes of every batch are durable together. On
// kTryLater none of them counts as delivered and the same batches, in the same order, are offered again, perhaps with
// more behind them; any other error ends it for good. All but what is said otherwise is called by one thread at a time;
// the batches stay alive until commit() returns.
class Commits {
 public:
  virtual ~Commits() = default;

  [[nodiscard]] virtual Result<void> commit(std::span<const Batch> batches) = 0;

  // Called by commit()'s thread every few seconds while it has nothing to commit: whether what was committed is still
  // where it was. An error ends it as one of commit() does.
  [[nodiscard]] virtual Result<void> look() { return {}; }

  // Commits whose outcome was not known until it was looked for. Any thread.
  virtual std::uint64_t commits_in_doubt() const { return 0; }

  // Names it in messages: "file:/var/log/sessionlogd/events.ndjson".
  virtual std::string_view name() const = 0;
};

// The output of a daemon that has all of its sources for itself.
class Sink : public Commits {
 public:
  // Before the first commit(). Throws TryLater, StateMismatch, WrongSetting, InUse, FencedAtStart, or
  // std::runtime_error when storage cannot be used at all.
  virtual void recover(StateVisitor& into) = 0;

  // `tell` is called again and again while recover() works, on its thread; what it throws ends recover().
  virtual void on_progress(const std::function<void()>& /*tell*/) {}

  // On recover()'s thread, while it tells: how far it has come, "12 of 300 MiB", or what it does,
  // "checking the state"; "" = not known.
  virtual std::string how_far() const { return {}; }

  // Somebody moved the output away: from now on events go to a new one. Any thread.
  virtual void reopen() {}
};

}  // namespace sessionlogd
