#include "bench/responses_at_hand.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "core/base/timestamp.h"

namespace sessionlogd {
namespace asio = boost::asio;

class ResponsesAtHand::Impl {
 public:
  Impl(asio::io_context& io, const MemoryShares& memory) : io_(io), bodies_(memory.small_bodies) {}

  asio::io_context& io_;
  BodyPool bodies_;
  std::size_t in_flight_ = 0;
};

namespace {

class EndpointAtHand : public HttpEndpoint {
 public:
  explicit EndpointAtHand(std::shared_ptr<ResponsesAtHand::Impl> client) : client_(std::move(client)) {}

  Task<Result<HttpResponse>> send(const HttpRequest& request) override {
    const std::shared_ptr<ResponsesAtHand::Impl> client = client_;
    ++client->in_flight_;
    co_await asio::post(client->io_, use_task);
    --client->in_flight_;
    HttpResponse response;
    response.status = 200;
    response.body = client->bodies_.take();
    response_at_hand(request, response.body);
    response.date = system_now().seconds;
    co_return response;
  }

  Result<void> set_headers(std::vector<std::string>) override { return {}; }
  void cancel() override {}
  std::optional<std::int64_t> certificate_expires() const override { return std::nullopt; }

 private:
  const std::shared_ptr<ResponsesAtHand::Impl> client_;
};

}  // namespace

ResponsesAtHand::ResponsesAtHand(asio::io_context& io, const MemoryShares& memory)
    : impl_(std::make_shared<Impl>(io, memory)) {}

Result<std::unique_ptr<HttpEndpoint>> ResponsesAtHand::open(const EndpointOptions&) {
  return std::unique_ptr<HttpEndpoint>(std::make_unique<EndpointAtHand>(impl_));
}

std::size_t ResponsesAtHand::in_flight() const { return impl_->in_flight_; }
std::size_t ResponsesAtHand::body_bytes() const { return impl_->bodies_.bytes(); }

}  // namespace sessionlogd
