#include "tests/support/simulated_http.h"

#include <utility>

#include "core/async/signal.h"
#include "core/async/task.h"
#include "core/base/memory_shares.h"
#include "core/base/timestamp.h"
#include "tests/support/simulated_time.h"

namespace sessionlogd::test {
namespace asio = boost::asio;

class SimulatedHttp::Impl {
 public:
  explicit Impl(asio::io_context& io) : io_(io), network_(asio::use_service<SimulatedNetwork>(io)) {}

  asio::io_context& io_;
  SimulatedNetwork& network_;
  BodyPool bodies_{MemoryShares{}.small_bodies};
  std::size_t in_flight_ = 0;
};

namespace {

class EndpointState {
 public:
  EndpointState(std::shared_ptr<SimulatedHttp::Impl> client, SimulatedServer& server,
                std::function<void(std::chrono::seconds)> on_wish)
      : client_(std::move(client)), server_(server), on_wish_(std::move(on_wish)), cancelled_(client_->io_) {}

  const std::shared_ptr<SimulatedHttp::Impl> client_;
  SimulatedServer& server_;
  const std::function<void(std::chrono::seconds)> on_wish_;
  std::vector<std::string> headers_;
  Signal cancelled_;
  unsigned cancellations_ = 0;
};

class SimulatedEndpoint : public HttpEndpoint {
 public:
  explicit SimulatedEndpoint(std::shared_ptr<EndpointState> state) : state_(std::move(state)) {}

  Task<Result<HttpResponse>> send(const HttpRequest& request) override {
    const std::shared_ptr<EndpointState> state = state_;
    const SimulatedServer::Reply reply = state->server_.response(request, state->headers_);
    const unsigned cancellations = state->cancellations_;
    const SteadyTime answered = SteadyClock::now() + reply.after;
    ++state->client_->in_flight_;
    while (SteadyClock::now() < answered && cancellations == state->cancellations_)
      co_await state->cancelled_.wait_until(answered);
    --state->client_->in_flight_;
    if (cancellations != state->cancellations_) co_return Error(ErrorKind::kCancelled, "cancelled");
    if (reply.status == 0) co_return Error(ErrorKind::kTryLater, "no connection");
    HttpResponse response;
    response.status = reply.status;
    response.body = state->client_->bodies_.take();
    response.body.append(reply.body);
    if (reply.clock_ahead) response.date = true_now().seconds + reply.clock_ahead->count();
    response.retry_after = reply.retry_after;
    const auto wish = reply.retry_after.value_or(std::chrono::seconds(0));
    if (reply.status >= 300 && wish.count() > 0 && state->on_wish_) state->on_wish_(wish);
    co_return response;
  }

  Result<void> set_headers(std::vector<std::string> headers) override {
    state_->headers_ = std::move(headers);
    return {};
  }

  void cancel() override {
    ++state_->cancellations_;
    state_->cancelled_.notify();
  }

  std::optional<std::int64_t> certificate_expires() const override { return std::nullopt; }

 private:
  const std::shared_ptr<EndpointState> state_;
};

}  // namespace

SimulatedHttp::SimulatedHttp(asio::io_context& io) : impl_(std::make_shared<Impl>(io)) {}

Result<std::unique_ptr<HttpEndpoint>> SimulatedHttp::open(const EndpointOptions& options) {
  SimulatedServer* server = impl_->network_.find(options.base_url);
  if (server == nullptr) return Error(ErrorKind::kRefused, "nothing stands at " + options.base_url);
  return std::unique_ptr<HttpEndpoint>(
      std::make_unique<SimulatedEndpoint>(std::make_shared<EndpointState>(impl_, *server, options.on_wish)));
}

std::size_t SimulatedHttp::in_flight() const { return impl_->in_flight_; }
std::size_t SimulatedHttp::body_bytes() const { return impl_->bodies_.bytes(); }

}  // namespace sessionlogd::test
