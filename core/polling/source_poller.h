// One source from discovery to batches: which sessions there are, when each is polled, what became of it.
//
//   run ─┬▶ SessionFinder: list ─▶ take in what is new, changed or finished ─▶ wait ─▶ ...
//        ├▶ dispatch: the session due longest ─▶ poll ─▶ LogReader ─▶ due again, or done
//        └▶ SourceVerifier: while nothing is due, a done one ─▶ compare ─▶ opened again if it lacks something
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
#include "core/api/api_client.h"
#include "core/async/signal.h"
#include "core/async/spawn.h"
#include "core/async/task.h"
#include "core/base/time_shift.h"
#include "core/base/zone_guess.h"
#include "core/entries/log_reader.h"
#include "core/polling/late_news.h"
#include "core/polling/learned_pace.h"
#include "core/polling/log_verdict.h"
#include "core/polling/poll_order.h"
#include "core/polling/quarantine.h"
#include "core/polling/read_success.h"
#include "core/polling/schedule.h"
#include "core/polling/session_finder.h"
#include "core/polling/session_table.h"
#include "core/polling/source_counters.h"
#include "core/polling/source_health.h"
#include "core/polling/source_standing.h"
#include "core/polling/source_verifier.h"
#include "core/polling/source_view.h"
#include "core/polling/uncommitted.h"
#include "core/state/batch_queue.h"
#include "core/state/restored_state.h"

namespace sessionlogd {

// What a shard lends its sources; the queue is that of the source's lane.
struct ShardServices {
  boost::asio::io_context& io;
  HttpClient& http;
  LogReader& reader;
  BatchQueue& queue;
  Quarantine* quarantine;  // nullptr: none is kept
  Signal& room;            // the queue is no longer full
  std::mt19937_64& random;
  ShardMetrics& metrics;
  const std::atomic<std::size_t>& fingerprint_bytes;  // that each source may keep
  bool keeps_state = true;                            // false: nothing is remembered, so nothing is swept
  Accounts* accounts = nullptr;                       // what the sources of an account share; nullptr: nothing
  std::chrono::milliseconds verify{0};                // how often the last sessions are read again, 0 = never
};

class SourcePoller : private FoundSessions, private VerifiedSessions {
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

  // On the shard's thread. What was left alone and began at `since` or later is news, with `again` also what a version
  // before had been done with; everything is listed again, at once. Returns how many sessions that are known to be left
  // alone are news by that. Not for a fixed list of sessions.
  std::size_t backfill(Instant since, bool again);

  // On the shard's thread. What only a sweep brought up, was not read yet and began before `before` is left alone.
  // Returns how many sessions.
  std::size_t leave_alone(Instant before);

  // After run() has returned: what is known of the sessions, for another poller of the same source.
  RestoredSource release() { return table_.release(); }

  // After run() has returned: its client, which is to log out.
  ApiClient& client() { return api_; }
  // From then on nothing is asked of the poller but release().
  std::unique_ptr<ApiClient> take_client() { return std::move(owned_api_); }

  // On the shard's thread, every few seconds: whether its logs can be read, and what is waited for, is judged and said.
  void look();

  // On the shard's thread.
  SourceView view();

 private:
  // FoundSessions
  void take_in(const std::vector<ListedSession>& rows, const Showing& how) override;
  void push(std::vector<StateRecord> records) override;
  Task<bool> room_to_list() override;
  Task<bool> room_to_sweep() override;
  Task<void> all_read() override;
  void sweep_begins() override { late_.begin_sweep(); }
  void listed(const Result<void>& how, SourceHealth::Tries tries) override;

  // VerifiedSessions
  std::string_view busy_with() const override;
  void verify_begins_read() override { ++polling_; }
  void verify_ends_read() override;
  void verify_has_read(std::uint64_t session_key) override { reads_.read(session_key, SteadyClock::now()); }
  bool lacks(const ListedSession& row, std::size_t entries) override;

  Task<void> find_sessions();
  Task<void> verify_sessions();
  void taken_in(const SessionTable::TakenIn& taken, const Showing& how);

  Task<void> dispatch();
  bool has_work() const;
  bool has_connection() const { return polling_ < settings_.poll.connections; }
  std::optional<Schedule::Slot> take_due();
  Task<void> poll(Schedule::Slot first);
  void note_first_contact();
  Task<bool> room_to_read();
  enum class News { kChanged, kUnchanged };
  enum class Polled { kAll, kMoreToCome, kStrange };
  Polled take_response(Schedule::Slot slot, const Result<HttpResponse>& response, Watched sent);
  Polled finish_poll(Schedule::Slot slot, const HttpResponse& response, Watched sent);
  void part(Schedule::Slot slot);
  TimeShift take_shift(Session& session, const Body& body);
  Owner settle_owner(Schedule::Slot slot, const ReadOutcome& read, TimeShift shift);
  void is_same(Schedule::Slot slot, TimeShift shift);
  void say_shift(std::string_view session, TimeShift shift);
  SessionTable::End end_as_given_away(Schedule::Slot slot);
  void end_others_of(const ListedSession& row);
  void give_away(Schedule::Slot slot);
  // Whether it is kept.
  bool count_not_json(std::string_view session, std::string_view expected, std::string_view body);
  void count_not_utf8(Schedule::Slot slot, std::size_t events);
  void read_was_strange(Schedule::Slot slot);
  void vouch_for(Schedule::Slot slot);
  void read_was(Schedule::Slot slot, Watched sent, News news, LogFill fill);
  std::chrono::milliseconds slowest_pace(Session& session);
  void say_left_unread(std::string_view session, const Error& error);
  void poll_failed(Schedule::Slot slot, const Error& error);
  void give_up(Schedule::Slot slot, SessionTable::End end, std::string_view why);
  void say_gap(Schedule::Slot slot, std::string_view why);
  Watched without_news(const Session& session) const;
  void finish(Schedule::Slot slot, SessionTable::End end);

  void schedule(Schedule::Slot slot, std::chrono::milliseconds wait, PollOrder::Urgency urgency);
  void schedule_first(Schedule::Slot slot);
  void schedule_late(Schedule::Slot slot, LateNews::Kind kind);
  std::optional<Schedule::Slot> take_late();
  std::optional<SteadyTime> next_late() const;
  std::chrono::milliseconds spread(std::chrono::milliseconds most);
  Batch new_batch() const;

  void judge_reads();
  bool fails() const;
  void count_events(const ReadOutcome& read);
  void note_entries(Session& session);

  ShardServices services_;
  const SourceSettings& settings_;
  const PollMode mode_;
  SourceFormat format_;
  std::unique_ptr<ApiClient> owned_api_;
  ApiClient& api_;
  SourceHealth health_;
  ReadSuccess reads_;

  SessionTable table_;
  LearnedPace pace_;
  SessionFinder finder_;
  SourceVerifier verifier_;
  PollOrder schedule_;
  LateNews late_;
  ZoneGuess zone_;
  std::vector<TimeShift> said_shifts_;

  Signal changed_;  // something is due sooner than it was waited for, ended, or we stop
  SteadyTime dispatch_sleeps_until_ = SteadyTime::min();  // min(): whatever is due, there is no connection for it
  unsigned polling_ = 0;
  bool finding_ = false, verifying_ = false;
  bool stopping_ = false;
  std::size_t left_unread_ = 0;        // one pass: sessions that could not be read
  std::optional<SteadyTime> read_at_;  // when last with success
  const std::shared_ptr<SourceCounters> counters_of_;
  SourceCounters& counters_;
  Uncommitted uncommitted_;
  const SourceStanding standing_;
};

}  // namespace sessionlogd
