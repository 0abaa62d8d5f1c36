// An appliance on simulated time, of the dialect veeam-aws: sessions that begin and end as planned, whose entries
// appear one by one, are Running until the next one comes, and sometimes come late. It can be down, and end its tokens.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/metrics.h"
#include "core/timestamp.h"
#include "tests/support/simulated_http.h"

namespace sessionlogd::test {

struct PlannedSession {
  std::int64_t start_ms = 0;  // Unix time
  std::uint32_t length_ms = 0;
  std::uint16_t entries = 1;    // at equal gaps from its start on
  bool has_late_entry = false;  // one more, kLate after its stop

  static constexpr std::int64_t kLate = 45'000;
  std::int64_t stop_ms() const { return start_ms + length_ms; }
  std::int64_t appears_ms(std::size_t entry) const;
  std::size_t shown_at(std::int64_t now_ms) const;  // how many entries
};

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

  std::uint64_t in_all() const { return requests[kLog] + requests[kListing] + requests[kOne] + requests[kToken]; }
};

class SimulatedAppliance : public SimulatedServer {
 public:
  // `plan` in order of the starts; it and `traffic` are looked at as long as it lives.
  SimulatedAppliance(unsigned number, std::vector<PlannedSession> plan, Traffic& traffic);

  Reply answer(const HttpRequest& request, const std::vector<std::string>& headers) override;

  void set_latency(std::chrono::milliseconds least, std::chrono::milliseconds most);
  void go_down() { down_ = true; }
  void come_back() { down_ = false; }
  void end_tokens() { ++token_; }

  std::string url() const;
  const std::vector<PlannedSession>& plan() const { return plan_; }
  // Of the entries that the session has shown so far, how many were in an answer.
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
  std::chrono::milliseconds latency();
  std::string bearer() const;
  void append_row(std::string& to, std::size_t session) const;
  void count(Traffic::Kind kind);

  const unsigned number_;
  const std::vector<PlannedSession> plan_;
  Traffic& traffic_;
  std::minstd_rand random_;
  std::int64_t least_latency_ = 20, most_latency_ = 120;
  bool down_ = false;
  unsigned token_ = 1;
  std::size_t first_running_ = 0;  // all before have ended
  std::vector<std::uint16_t> served_;
  std::vector<std::uint32_t> polls_;
  std::uint64_t requests_ = 0;
  std::int64_t second_ = 0;
  unsigned in_second_ = 0, busiest_ = 0;
};

}  // namespace sessionlogd::test
