// Reads the sessions of the last day again and compares their logs with what was delivered: nothing in a session's row
// says that its log has changed, so only that shows it.
//
//   round is due ─▶ list the last day ─▶ the next session: nothing is due, its turn has come ─▶ read, compare ─▶ ...
//                                                               lacks something ─▶ it is opened again
//
// What is missing is then delivered as of any session that is opened again. VerifyRound decides what is read and when.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "core/api/api_client.h"
#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/entries/log_reader.h"
#include "core/polling/discovery.h"
#include "core/polling/session_finder.h"
#include "core/polling/session_table.h"
#include "core/polling/source_health.h"
#include "core/polling/verify_round.h"

namespace sessionlogd {

// Whose sessions are verified.
class VerifiedSessions {
 public:
  virtual ~VerifiedSessions() = default;
  // Why no request may be sent for them now, a literal; "" = the source lists, nothing is due, and there is a
  // connection and room for what comes of a request.
  virtual std::string_view busy_with() const = 0;
  virtual void verify_begins_read() = 0;
  virtual void verify_ends_read() = 0;
  // That session's log could be read.
  virtual void verify_has_read(std::uint64_t session_key) = 0;
  // So many entries of the session's log were not delivered: it is opened again. false: by now it is open anyway.
  virtual bool lacks(const ListedSession& row, std::size_t entries) = 0;
};

class SourceVerifier {
 public:
  // What it works with; all of it outlives this.
  struct Parts {
    boost::asio::io_context& io;
    const SourceSettings& settings;
    std::chrono::milliseconds interval;  // 0 = off
    ApiClient& api;
    SessionTable& table;
    SessionFinder& finder;
    LogReader& reader;
    const SourceFormat& format;
    SourceHealth& health;
    VerifiedSessions& sessions;
  };
  explicit SourceVerifier(const Parts& parts);

  // Until stop(); at once when it is off.
  Task<void> run();
  void stop();

 private:
  struct Candidate {
    std::uint64_t key;
    std::string id;
  };
  enum class Tried {
    kDealtWith,
    kLacks,      // it is to be opened again
    kAgain,      // the fault may pass
    kCancelled,  // the round is over, or we are stopping
  };

  Task<void> go_round();
  Task<bool> list();
  Task<bool> list_named();
  enum class Of { kPage, kSession };
  Task<bool> turn(Of of);
  Task<void> verify(Candidate one, int tries);
  Task<Tried> read(const Candidate& one, bool is_last_try, std::size_t& missing);
  Tried compare(const Candidate& one, const Body& body, bool is_last_try, std::size_t& missing);
  Task<Tried> open_again(const Candidate& one, bool is_last_try, std::size_t missing);
  Tried could_not(const Candidate& one, std::string_view why);
  Task<void> pause(std::chrono::milliseconds span);
  bool goes_on();
  void offer(const ListedSession& row, Instant since);
  void end_round();
  std::string why_not_all() const;

  const Parts parts_;
  Discovery discovery_;
  VerifyRound round_;
  Signal wake_;
  SteadyTime asked_at_ = SteadyTime::min();
  SteadyTime begins_by_{};  // a round that is due and could not begin by then is over

  // What kept the round that goes on, or is to begin, from reading all.
  SteadyClock::duration waited_{0};
  std::string_view waited_for_{};
  bool was_listed_ = false;
  std::string last_error_;
  bool stopping_ = false;
};

}  // namespace sessionlogd
