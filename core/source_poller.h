// One source from discovery to batches: which sessions there are, when each is polled, what became of it.
//
//   run ─┬▶ discover: list ─▶ take in what is new, changed or finished ─▶ wait ─▶ ...
//        └▶ dispatch: the session due longest ─▶ poll ─▶ LogReader ─▶ due again, or done
//
// Everything runs on the shard's thread; a failing session backs off alone, a failing source is held back by its
// ApiClient's admission.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>
#include <string>

#include "config/settings.h"
#include "core/api_client.h"
#include "core/batch_queue.h"
#include "core/discovery.h"
#include "core/log_reader.h"
#include "core/poll_order.h"
#include "core/quarantine.h"
#include "core/restored_state.h"
#include "core/schedule.h"
#include "core/session_table.h"
#include "core/signal.h"
#include "core/source_health.h"
#include "core/source_view.h"
#include "core/spawn.h"
#include "core/task.h"
#include "core/uncommitted.h"

namespace sessionlogd {

// What a shard lends its sources.
struct ShardServices {
  boost::asio::io_context& io;
  HttpClient& http;
  LogReader& reader;
  BatchQueue& queue;
  Quarantine* quarantine;  // nullptr: none is kept
  Signal& room;            // the queue is no longer full
  std::mt19937_64& random;
  ShardMetrics& metrics;
  Accounts* accounts = nullptr;  // what the sources of an account share; nullptr: nothing
};

// Written by the shard, read by anyone. A source that is changed by a reload goes on with those it has.
struct SourceCounters {
  std::atomic<std::uint64_t> sessions = 0;  // found and not done before
  std::atomic<std::uint64_t> read = 0;      // of those, read at least once
  std::atomic<std::uint64_t> polls_new = 0, polls_changed = 0, polls_unchanged = 0, polls_failed = 0;
  std::atomic<std::uint64_t> entries = 0;  // in answers that were read
  std::atomic<std::uint64_t> events_new = 0, events_changed = 0, events_error = 0, events_gap = 0;
  std::atomic<std::uint64_t> not_json = 0;  // answers that were no JSON, or broken JSON
  std::atomic<std::uint64_t> not_utf8 = 0;  // events in which bytes that are no UTF-8 were replaced
  std::atomic<bool> listed = false;         // at least one listing was complete
  std::atomic<bool> failing = false;  // its last listing failed, or (one pass) some of its sessions could not be read

  std::uint64_t events() const { return events_new + events_changed + events_error + events_gap; }
};

enum class PollMode {
  kForever,
  kOnePass,  // list once, read every session that is due once, then end
};

class SourcePoller {
 public:
  // What it works with; all of it outlives this.
  struct Parts {
    ShardServices services;
    const SourceSettings& settings;
    std::shared_ptr<SourceCounters> counters;
    Encoder& encoder;
    PollMode mode;
  };

  // Throws std::runtime_error when a file or secret that the settings name cannot be used; `restored` is then as it
  // was.
  SourcePoller(Parts parts, RestoredSource&& restored);

  // Until stop(), or the end of the one pass. `delay`: first contacts are staggered.
  Task<void> run(std::chrono::milliseconds delay);

  // On the shard's thread. run() then returns soon.
  void stop();

  // On the shard's thread. Lists everything since `since` again, at once; returns up to where done marks were dropped
  // before: what was delivered of sessions without news since then is delivered again. Not for a fixed list of
  // sessions.
  Instant backfill(Instant since);

  // After run() has returned: what is known of the sessions, for another poller of the same source.
  RestoredSource release() { return table_.release(); }

  // On the shard's thread.
  SourceView view();

 private:
  Task<void> discover();
  Task<Result<void>> discover_once();
  Task<Result<void>> ask_for_each(std::vector<std::string> ids);
  std::optional<Instant> window_start() const;
  Instant forgotten_before() const;
  void take_in(const std::vector<ListedSession>& listed, std::uint32_t inquiry);

  Task<void> dispatch();
  bool has_work() const;
  bool has_connection() const { return polling_ < settings_.poll.connections; }
  std::optional<Schedule::Slot> take_due();
  Task<void> poll(Schedule::Slot first);
  void note_first_contact();
  Task<bool> room_to_read();
  enum class Polled { kAll, kMoreToCome, kStrange };
  Polled take_answer(Schedule::Slot slot, const Result<HttpAnswer>& answer, Instant sent);
  Polled finish_poll(Schedule::Slot slot, const HttpAnswer& answer, Instant sent);
  void count_not_json(std::string_view session, std::string_view expected, std::string_view body);
  void count_not_utf8(Schedule::Slot slot, std::size_t events);
  void read_was_strange(Schedule::Slot slot);
  void read_was(Schedule::Slot slot, Instant sent, Pace::News news);
  std::chrono::milliseconds slowest_pace(Session& session);
  void poll_failed(Schedule::Slot slot, const Error& error);
  bool may_be_lost(const Session& session, const Error& error) const;
  void give_up(Schedule::Slot slot, std::string_view why);
  void finish(Schedule::Slot slot);

  void schedule(Schedule::Slot slot, std::chrono::milliseconds wait, PollOrder::Urgency urgency);
  void schedule_first(Schedule::Slot slot);
  std::chrono::milliseconds spread(std::chrono::milliseconds most);
  Batch new_batch() const;
  void push(std::vector<StateRecord> records);

  SourceCondition condition() const;
  std::string fault_in_words() const;
  std::chrono::duration<double> lag(SteadyTime now);
  void count_events(const ReadOutcome& read);

  ShardServices services_;
  const SourceSettings& settings_;
  const PollMode mode_;
  SourceFormat format_;
  ApiClient api_;
  Discovery discovery_;
  SourceHealth health_;

  SessionTable table_;
  PollOrder schedule_;

  Signal changed_;  // something is due sooner than it was waited for, ended, or we stop
  Signal relist_;   // sooner than the next listing is due
  SteadyTime dispatch_sleeps_until_ = SteadyTime::min();  // min(): whatever is due, there is no connection for it
  unsigned polling_ = 0;
  bool discovering_ = false;
  bool stopping_ = false;
  bool left_unread_ = false;     // one pass: some session could not be read
  std::uint32_t inquiries_ = 0;  // begun, about which sessions there are
  unsigned backfills_ = 0;       // asked for; a listing that was sent before the last one does not advance anything
  const SteadyTime began_ = SteadyClock::now();
  SteadyTime listed_at_{}, read_at_{};  // when last with success
  const std::shared_ptr<SourceCounters> counters_of_;
  SourceCounters& counters_;
  Uncommitted uncommitted_;
  const std::shared_ptr<const SourceIdentity> identity_;
};

}  // namespace sessionlogd
