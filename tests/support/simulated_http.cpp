#include "tests/support/simulated_http.h"

#include "core/large_body_permit.h"
#include "core/signal.h"
#include "core/task.h"
#include "core/timestamp.h"
#include "tests/support/simulated_time.h"

namespace sessionlogd {
namespace asio = boost::asio;

class HttpClient::Impl {
 public:
  Impl(asio::io_context& io, const MemoryShares& memory)
      : io_(io), network_(asio::use_service<test::SimulatedNetwork>(io)), bodies_(memory.small_bodies) {}

  asio::io_context& io_;
  test::SimulatedNetwork& network_;
  BodyPool bodies_;
  std::size_t in_flight_ = 0;
};

class HttpClient::Endpoint::State {
 public:
  State(asio::io_context& io, test::SimulatedServer& server, std::function<void(std::chrono::seconds)> on_wish)
      : server_(server), on_wish_(std::move(on_wish)), cancelled_(io) {}

  test::SimulatedServer& server_;
  std::function<void(std::chrono::seconds)> on_wish_;
  std::vector<std::string> headers_;
  Signal cancelled_;
  unsigned cancellations_ = 0;
};

HttpClient::HttpClient(asio::io_context& io, const MemoryShares& memory, std::shared_ptr<LargeAnswers>)
    : impl_(std::make_shared<Impl>(io, memory)) {}

HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient::Endpoint>> HttpClient::open(const EndpointOptions& options) {
  test::SimulatedServer* server = impl_->network_.find(options.base_url);
  if (server == nullptr) return Error(ErrorKind::kRefused, "nothing stands at " + options.base_url);
  return std::make_unique<Endpoint>(std::make_shared<Endpoint::State>(impl_->io_, *server, options.on_wish));
}

Task<Result<HttpAnswer>> HttpClient::send(Endpoint& endpoint, const HttpRequest& request) {
  const std::shared_ptr<Impl> impl = impl_;
  const std::shared_ptr<Endpoint::State> state = endpoint.state_;
  const test::SimulatedServer::Reply reply = state->server_.answer(request, state->headers_);
  const unsigned cancellations = state->cancellations_;
  const SteadyTime answered = SteadyClock::now() + reply.after;
  ++impl->in_flight_;
  while (SteadyClock::now() < answered && cancellations == state->cancellations_)
    co_await state->cancelled_.wait_until(answered);
  --impl->in_flight_;
  if (cancellations != state->cancellations_) co_return Error(ErrorKind::kCancelled, "cancelled");
  if (reply.status == 0) co_return Error(ErrorKind::kTryLater, "no connection");
  HttpAnswer answer;
  answer.status = reply.status;
  answer.body = impl->bodies_.take();
  answer.body.append(reply.body);
  if (reply.clock_ahead) answer.date = test::true_now().seconds + reply.clock_ahead->count();
  answer.retry_after = reply.retry_after;
  const auto wish = reply.retry_after.value_or(std::chrono::seconds(0));
  if (reply.status >= 300 && wish.count() > 0 && state->on_wish_) state->on_wish_(wish);
  co_return answer;
}

std::size_t HttpClient::in_flight() const { return impl_->in_flight_; }
std::size_t HttpClient::waiting_for_large_body() const { return 0; }
std::size_t HttpClient::body_bytes() const { return impl_->bodies_.bytes(); }

HttpClient::Endpoint::Endpoint(std::shared_ptr<State> state) : state_(std::move(state)) {}
HttpClient::Endpoint::~Endpoint() = default;

Result<void> HttpClient::Endpoint::set_headers(std::vector<std::string> headers) {
  state_->headers_ = std::move(headers);
  return {};
}

void HttpClient::Endpoint::cancel() {
  ++state_->cancellations_;
  state_->cancelled_.notify();
}

std::optional<std::int64_t> HttpClient::Endpoint::certificate_expires() const { return std::nullopt; }

}  // namespace sessionlogd
