// An appliance on simulated time, of the dialect veeam-aws: sessions that begin and end as planned, whose entries
// appear one by one, are Running until the next one comes, and sometimes come late. It can be down, end its tokens,
// have a clock that is wrong, hide sessions, and lie about its pages.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/timestamp.h"
#include "tests/support/simulated_http.h"

namespace sessionlogd::test {

// What a session writes and when, where that is not at equal gaps. Times are after its start.
struct Script {
  struct Change {
    std::uint32_t entry, at_ms;
    auto operator<=>(const Change&) const = default;
  };
  std::string type = "Policy";
  std::vector<std::uint32_t> entries_ms{};       // ascending; as many as the session has
  std::optional<std::vector<Change>> changes{};  // ascending; nullopt: each entry runs until the next one comes
};

struct PlannedSession {
  std::int64_t start_ms = 0;  // Unix time
  std::uint32_t length_ms = 0;
  std::uint32_t entries = 1;    // at equal gaps from its start on
  bool has_late_entry = false;  // one more, so long after its stop that nothing in its row changes by it
  std::uint32_t late_after_ms = 45'000;
  bool has_no_start = false;    // it was canceled before: no window shows it, and listings have it last
  bool leaves_running = false;  // its last entry says that it is running for ever

  // It is opened again so long after its stop, for so long, with so many more entries; 0 entries: it is not.
  std::uint32_t again_after_ms = 0, again_length_ms = 0;
  std::uint16_t again_entries = 0;
  // Its start names the id of this one from now on.
  std::optional<std::size_t> takes_id_of{};
  std::uint32_t gives_back_after_ms = 0;  // so long after its start it names that one again, 0 = never
  // Times that the appliance writes of it are so far ahead of the truth.
  std::int64_t written_ahead_ms = 0;
  std::shared_ptr<const Script> script{};

  std::int64_t stop_ms() const { return start_ms + length_ms; }
  std::int64_t again_ms() const { return stop_ms() + again_after_ms; }
  std::int64_t last_stop_ms() const { return again_entries == 0 ? stop_ms() : again_ms() + again_length_ms; }
  bool runs_at(std::int64_t now_ms) const;
  bool has_id_at(std::int64_t now_ms) const;  // of takes_id_of
  // The stop time that counts for the entry.
  std::int64_t stop_of(std::size_t entry) const;
  std::int64_t appears_ms(std::size_t entry) const;
  std::size_t shown_at(std::int64_t now_ms) const;  // how many entries
  // What the entry says when so many are shown.
  struct Form {
    bool final;
    unsigned changes;         // so far
    std::int64_t changed_ms;  // the last time; when it appeared, if it never did
  };
  Form form_of(std::size_t entry, std::size_t shown, std::int64_t now_ms) const;

 private:
  std::size_t first_entries() const { return entries + (has_late_entry ? 1u : 0u); }
};

// In truth, whatever our own clock says.
std::int64_t now_ms();

// How long ago entries had appeared when they were read first: with less than a second between the bounds of interest.
inline constexpr double kNewsBounds[] = {0.5, 1,   1.5,  2,   2.5, 3,   3.5, 4,   4.5,   5,     6,     7,    8,
                                         9,   10,  12.5, 15,  20,  25,  30,  35,  40,    45,    50,    55,   60,
                                         90,  120, 180,  240, 300, 450, 600, 900, 1'200, 1'800, 3'600, 7'200};

// What all appliances of a run were asked.
struct Traffic {
  enum Kind { kLog, kListing, kOne, kToken, kKinds };
  std::array<std::uint64_t, kKinds> requests{};
  std::uint64_t refused = 0;  // 401
  std::uint64_t new_entries = 0;
  Histogram news_seconds{kNewsBounds};
  // How old each new entry, and each change of an entry that had been read before, was when it was read.
  bool keeps_ages = false;
  std::vector<std::uint32_t> new_ages_ms{}, changed_ages_ms{};

  std::uint64_t in_all() const { return requests[kLog] + requests[kListing] + requests[kOne] + requests[kToken]; }
};

class SimulatedAppliance : public SimulatedServer {
 public:
  // `plan` in order of the starts; it and `traffic` are looked at as long as it lives.
  SimulatedAppliance(unsigned number, std::vector<PlannedSession> plan, Traffic& traffic);

  Reply response(const HttpRequest& request, const std::vector<std::string>& headers) override;

  void set_latency(std::chrono::milliseconds least, std::chrono::milliseconds most);
  void go_down() { down_ = true; }
  void come_back() { down_ = false; }
  void end_tokens() { ++token_; }

  // Its Date is so far ahead of the truth; nullopt: it sends none.
  void set_clock(std::optional<std::chrono::seconds> ahead) { clock_ahead_ = ahead; }
  // From now on its Date is so much further ahead with each response.
  void rush_clock(std::chrono::seconds by) { clock_rush_ = by; }
  // Times are written as this zone has them, without naming it; nullopt: in UTC, which is named.
  void write_local_times(std::optional<std::chrono::minutes> offset) { local_ = offset; }
  // Its listings show nothing, as if there were nothing; what is asked for by its id is there.
  void go_blind() { blind_ = true; }
  void see_again() { blind_ = false; }
  // Listings show none of these; what is asked for by its id is not there, either.
  void hide(std::size_t begin, std::size_t end) { set_hidden(begin, end, true); }
  void show(std::size_t begin, std::size_t end) { set_hidden(begin, end, false); }

  // What is asked for by its id is refused with this status, 0 = no longer.
  void refuse_rows(int status) { rows_refused_ = status; }
  // The session's log is refused with this status, 0 = no longer; or it holds nothing.
  void refuse_log(std::size_t session, int status) { refused_[session] = status; }
  void clear_log(std::size_t session) { cleared_[session] = true; }

  // Listings show the rows of all sessions that an id ever named.
  void list_all_of_an_id() { lists_all_of_an_id_ = true; }

  enum class Pages {
    kHonest,
    kTotalIsThePages,  // the total is the page's own count
    kTotalIsZero,
    kTotalIsHigher,  // by ten
    kIgnoreOffset,   // the first page, whatever is asked for
    kShuffled,       // another order in each response
    kFirstOnly,      // an error for each but the first
    kNoSweeps,       // an error for each of a listing of everything
  };
  void set_pages(Pages pages) { pages_ = pages; }
  // Says what a session's log is answered with in place of the log; nullopt leaves it to the appliance.
  using LogInstead = std::function<std::optional<Reply>(std::size_t session)>;
  void respond_to_logs(LogInstead instead) { log_instead_ = std::move(instead); }
  // The same for token requests, and for the pages of its listings.
  using Instead = std::function<std::optional<Reply>()>;
  void respond_to_tokens(Instead instead) { token_instead_ = std::move(instead); }
  void respond_to_listings(Instead instead) { listing_instead_ = std::move(instead); }
  // However many are asked for.
  void set_longest_page(std::size_t rows) { longest_page_ = rows; }

  std::string url() const;
  const std::vector<PlannedSession>& plan() const { return plan_; }
  // What it takes itself, for one whose sessions share no scripts: a daemon has none of it.
  std::size_t memory_bytes() const;
  // Its message, which no other of this appliance has.
  static std::string message_of(std::size_t session, std::size_t entry);
  // Of the entries that the session has shown so far, how many were in a response.
  std::size_t read_of(std::size_t session) const { return served_[session]; }
  std::uint64_t polls_of(std::size_t session) const { return polls_[session]; }
  std::uint64_t requests() const { return requests_; }
  // The most in one second of the clock.
  unsigned busiest_second() const { return busiest_; }

 private:
  Reply token();
  Reply listing(std::string_view query);
  Reply one(std::size_t session);
  Reply log(std::size_t session);
  void count_news(std::size_t session, std::size_t shown);
  Reply reply(int status);
  std::chrono::milliseconds latency();
  std::string bearer() const;
  void append_id(std::string& to, std::size_t session) const;
  void append_row(std::string& to, std::size_t session) const;
  void append_time_of(std::string& to, const PlannedSession& session, std::int64_t ms) const;
  std::optional<std::size_t> named_by(std::size_t id) const;
  std::vector<std::size_t> listed(bool only_running, std::string_view query) const;
  void set_hidden(std::size_t begin, std::size_t end, bool hidden);
  void count(Traffic::Kind kind);

  const unsigned number_;
  const std::vector<PlannedSession> plan_;
  Traffic& traffic_;
  std::minstd_rand random_;
  std::int64_t least_latency_ = 20, most_latency_ = 120;
  bool down_ = false, blind_ = false, lists_all_of_an_id_ = false;
  int rows_refused_ = 0;
  unsigned token_ = 1;
  std::optional<std::chrono::seconds> clock_ahead_{0};
  std::chrono::seconds clock_rush_{0};
  std::optional<std::chrono::minutes> local_;
  Pages pages_ = Pages::kHonest;
  std::size_t longest_page_ = 200;
  LogInstead log_instead_ = [](std::size_t) { return std::nullopt; };
  Instead token_instead_ = [] { return std::nullopt; }, listing_instead_ = token_instead_;
  std::vector<bool> hidden_, cleared_;
  std::vector<int> refused_;
  std::vector<std::size_t> heirs_;  // sessions that take another's id
  std::vector<std::uint32_t> served_;
  std::vector<std::int64_t> read_ms_;  // when its log was answered last
  std::vector<std::uint32_t> polls_;
  std::uint64_t requests_ = 0;
  std::int64_t second_ = 0;
  unsigned in_second_ = 0, busiest_ = 0;
};

}  // namespace sessionlogd::test
