#include "bench/answers_at_hand.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "core/large_body_permit.h"
#include "core/timestamp.h"

namespace sessionlogd {
namespace asio = boost::asio;

class HttpClient::Impl {
 public:
  Impl(asio::io_context& io, const MemoryShares& memory) : io_(io), bodies_(memory.small_bodies) {}

  asio::io_context& io_;
  BodyPool bodies_;
  std::size_t in_flight_ = 0;
};

class HttpClient::Endpoint::State {};

HttpClient::HttpClient(asio::io_context& io, const MemoryShares& memory, std::shared_ptr<LargeAnswers>)
    : impl_(std::make_shared<Impl>(io, memory)) {}

HttpClient::~HttpClient() = default;

Result<std::unique_ptr<HttpClient::Endpoint>> HttpClient::open(const EndpointOptions&) {
  return std::make_unique<Endpoint>(std::make_shared<Endpoint::State>());
}

Task<Result<HttpAnswer>> HttpClient::send(Endpoint&, const HttpRequest& request) {
  const std::shared_ptr<Impl> impl = impl_;
  ++impl->in_flight_;
  co_await asio::post(impl->io_, use_task);
  --impl->in_flight_;
  HttpAnswer answer;
  answer.status = 200;
  answer.body = impl->bodies_.take();
  answer_at_hand(request, answer.body);
  answer.date = system_now().seconds;
  co_return answer;
}

std::size_t HttpClient::in_flight() const { return impl_->in_flight_; }
std::size_t HttpClient::waiting_for_large_body() const { return 0; }
std::size_t HttpClient::body_bytes() const { return impl_->bodies_.bytes(); }

HttpClient::Endpoint::Endpoint(std::shared_ptr<State> state) : state_(std::move(state)) {}
HttpClient::Endpoint::~Endpoint() = default;

Result<void> HttpClient::Endpoint::set_headers(std::vector<std::string>) { return {}; }
void HttpClient::Endpoint::cancel() {}
std::optional<std::int64_t> HttpClient::Endpoint::certificate_expires() const { return std::nullopt; }

}  // namespace sessionlogd
