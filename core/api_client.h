// One source's API: requests that keep to its budget, carry its version and token, and are classified when they come
// back.
//
//   get ─▶ token good? ─no▶ renew it (one renewal at a time, the others wait)
//           └▶ budget allows? ─no▶ wait ─▶ send ─▶ 401: drop the token and try once more
//                                                └▶ Retry-After, failures: the budget learns
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "config/settings.h"
#include "core/http_client.h"
#include "core/result.h"
#include "core/signal.h"
#include "core/source_budget.h"
#include "core/timestamp.h"
#include "core/token.h"

namespace sessionlogd {

class ApiClient {
 public:
  // Settings and client must outlive this. Throws std::runtime_error when a file that the settings name cannot be used.
  ApiClient(boost::asio::io_context& io, HttpClient& http, const SourceSettings& settings, std::mt19937_64& random);

  // A GET; `target` is a path of the dialect with {id} filled in, {version} not yet. The value is always a 2xx answer.
  boost::asio::awaitable<Result<HttpAnswer>> get(std::string target);

  // Returns at `until`, or when we stop.
  boost::asio::awaitable<void> sleep_until(SteadyTime until);

  // Ends what is in flight and refuses what comes.
  void stop();

  // After stop(): gives the token back, best effort, within `most`.
  boost::asio::awaitable<void> log_out(std::chrono::milliseconds most);

  // The appliance's clock: ours and what its Date headers say. A difference of less than 2 s is within their
  // resolution.
  Instant now() const;
  std::chrono::seconds clock_offset() const { return clock_offset_; }

  std::uint64_t requests() const { return requests_; }

 private:
  // An error with http_status 0 was not answered.
  boost::asio::awaitable<Result<HttpAnswer>> send(HttpRequest request);
  // Within the budget, unclassified.
  boost::asio::awaitable<Result<HttpAnswer>> exchange(HttpRequest request);
  boost::asio::awaitable<bool> admit();
  boost::asio::awaitable<Result<void>> ensure_token();
  boost::asio::awaitable<Result<void>> renew(TokenKeeper::Step step);
  boost::asio::awaitable<Result<Grant>> ask_for_grant(FormFields form);
  Result<void> carry_token();
  void learn(const Result<HttpAnswer>& answer);
  std::string with_version(std::string target) const;

  boost::asio::io_context& io_;
  HttpClient& http_;
  const SourceSettings& settings_;
  std::mt19937_64& random_;
  std::unique_ptr<HttpClient::Endpoint> endpoint_;
  SourceBudget budget_;
  TokenKeeper token_;
  Signal admission_;
  Signal renewed_;
  Signal stopped_;
  bool renewing_ = false;
  bool stopping_ = false;
  std::uint64_t requests_ = 0;
  std::chrono::seconds clock_offset_{0};

  // A login that was refused is not repeated with the same secret before this: it would only lock the account.
  std::size_t refused_secret_ = 0;
  SteadyTime parked_until_{};
  Error parked_error_;
};

// The value of an answer by its status; `what` was asked for.
Result<HttpAnswer> classify_status(HttpAnswer answer, std::string_view what);

}  // namespace sessionlogd
