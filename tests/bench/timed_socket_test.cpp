#include "bench/fleet/timed_socket.h"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

namespace fleet {
namespace {

namespace asio = boost::asio;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

// Both ends of a connection.
class TimedSocketTest : public testing::Test {
 protected:
  TimedSocketTest() {
    tell_arrivals(acceptor_.native_handle());
    client_.connect(acceptor_.local_endpoint());
    timed_.emplace(acceptor_.accept());
  }

  std::string read() {
    std::array<char, 64> chunk;
    std::string got;
    timed_->async_read_some(asio::buffer(chunk), [&](const boost::system::error_code& error, std::size_t size) {
      got = error ? error.message() : std::string(chunk.data(), size);
    });
    io_.restart();
    io_.run();
    return got;
  }

  asio::io_context io_{1};
  Acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  Socket client_{io_};
  std::optional<TimedSocket> timed_;
};

TEST_F(TimedSocketTest, KnowsWhenWhatItReadsHadComeHoweverLateThatIs) {
  // The kernel begins to keep such times a moment after it was asked to.
  for (int tries = 0; tries < 10'000; ++tries) {
    const Nanos before = now();
    asio::write(client_, asio::buffer("request", 7));
    const Nanos sent = now();
    ASSERT_EQ(read(), "request");
    ASSERT_GE(timed_->came(), before);
    ASSERT_LE(timed_->came(), now());
    if (timed_->came() <= sent) return;
  }
  FAIL() << "always the time of the reading";
}

// A TLS stream does that to be called back at once.
TEST_F(TimedSocketTest, ReadsNothingWithoutWaiting) {
  bool is_back = false;
  timed_->async_read_some(asio::mutable_buffer(), [&](const boost::system::error_code& error, std::size_t size) {
    is_back = !error && size == 0;
  });
  EXPECT_FALSE(is_back);
  io_.poll();
  EXPECT_TRUE(is_back);
}

TEST_F(TimedSocketTest, KnowsWhenItWrote) {
  const std::string response(100'000, 'x');
  Nanos first_awaited = 0;
  std::size_t written = 0;
  const Nanos before = now();
  asio::async_write(
      *timed_, asio::buffer(response),
      [&](const boost::system::error_code&, std::size_t so_far) -> std::size_t {
        if (so_far > 0 && first_awaited == 0) first_awaited = timed_->awaited();
        return response.size() / 2;
      },
      [&](const boost::system::error_code&, std::size_t size) { written = size; });
  io_.run();
  EXPECT_EQ(written, response.size());
  EXPECT_LE(before, first_awaited);
  EXPECT_LT(first_awaited, timed_->awaited()) << "of what was written last";
  EXPECT_LE(timed_->awaited(), timed_->written());
  EXPECT_LE(timed_->written(), now());
}

// As one does that opens a connection for every request.
TEST_F(TimedSocketTest, WasAwaitedByAClientThatLeavesWithTheResponse) {
  asio::async_write(*timed_, asio::buffer("answer", 6), [&](const boost::system::error_code&, std::size_t) {});
  client_.close();  // the write was made when it was asked for
  io_.run();
  const Nanos first = timed_->awaited();
  EXPECT_GT(first, 0);
  asio::async_write(*timed_, asio::buffer("more", 4), [](const boost::system::error_code&, std::size_t) {});
  io_.restart();
  io_.run();
  EXPECT_EQ(timed_->awaited(), first);
}

TEST_F(TimedSocketTest, SeesThatTheClientHasClosedItsEndBehindWhatItSent) {
  EXPECT_FALSE(timed_->is_left_alone());
  asio::write(client_, asio::buffer("last", 4));
  EXPECT_FALSE(timed_->is_left_alone());
  client_.close();
  EXPECT_TRUE(timed_->is_left_alone());
  EXPECT_EQ(read(), "last");
  EXPECT_EQ(read(), asio::error::make_error_code(asio::error::eof).message());
}

}  // namespace
}  // namespace fleet
