// The one permit of a shard to read a large body, of which there are only so many in the process. Who asks while
// another has it waits in order of asking; who has it keeps it until the body is freed, so that what is still parsed
// counts. The holder never needs anything that one who waits has, so there is always somebody who can go on. But it
// must go on: who brings next to nothing while others wait loses the permit, and the next time asks behind the others.
//
// A Reader asks from inside curl's write callback, where nothing of curl may be called: so it is answered at once, and
// what follows (must_wait, granted) comes in a later turn of the io_context.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

#include "core/async/task.h"

namespace sessionlogd {

// How many large responses there may be at once, in all shards together.
class LargeResponses {
 public:
  // While others wait, who reads one must bring kLeastBytesPerSecond, measured over each `patience`.
  static constexpr std::uint64_t kLeastBytesPerSecond = 64u << 10;

  explicit LargeResponses(unsigned most, std::chrono::milliseconds how_patient = std::chrono::seconds(5))
      : patience(how_patient), left_(static_cast<int>(most)) {}

  const std::chrono::milliseconds patience;

  // Any thread.
  bool take() {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) > 0) return true;
    give_back();
    return false;
  }
  void give_back() { left_.fetch_add(1, std::memory_order_acq_rel); }

  // Readers that wait, of all shards. Any thread.
  void one_waits() { waiting_.fetch_add(1, std::memory_order_relaxed); }
  void one_waits_no_more() { waiting_.fetch_sub(1, std::memory_order_relaxed); }
  bool anybody_waits() const { return waiting_.load(std::memory_order_relaxed) != 0; }

 private:
  std::atomic<int> left_, waiting_{0};
};

class LargeBodyPermit : public std::enable_shared_from_this<LargeBodyPermit> {
 public:
  // Gives the permit back when the last copy ends; on the shard's thread.
  using Held = std::shared_ptr<void>;

  class Reader : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>> {
   public:
    virtual void must_wait() = 0;  // not called when granted() follows at once
    virtual void granted(Held permit) = 0;

    // Bytes that it has read so far.
    virtual std::uint64_t brought() const = 0;
    // It brought too little while others wait: it must leave() and let the permit go, now.
    virtual void too_slow() = 0;
    // It was so the last time: others go first.
    virtual bool was_slow() const = 0;

    virtual ~Reader() = default;

   private:
    friend class LargeBodyPermit;
    bool told_ = false;
  };

  LargeBodyPermit(boost::asio::io_context& io, std::shared_ptr<LargeResponses> in_all)
      : io_(io), retry_(io), in_all_(std::move(in_all)), watch_(io) {}

  // The permit; or nothing: `reader` waits for granted().
  Held take(Reader& reader);

  // `reader` does not want the permit any more, or has read what it wanted it for; harmless if it never did.
  void leave(Reader& reader);

  std::size_t waiting() const { return waiting_.size(); }

 private:
  Held hold(Reader& reader);
  void given_back();
  void enqueue(Reader& reader);
  void dequeue(Reader& reader);
  void watch();
  void look_at_holder();
  void post_turn();
  void turn();
  void try_again_soon();

  boost::asio::io_context& io_;
  Timer retry_;
  std::shared_ptr<LargeResponses> in_all_;
  Timer watch_;
  bool held_ = false;
  Reader* reading_ = nullptr;  // who has it, until it has read its body
  std::uint64_t brought_before_ = 0;
  SteadyTime watched_since_{};
  boost::intrusive::list<Reader> waiting_;
  bool turn_posted_ = false;
  bool retry_set_ = false;
};

}  // namespace sessionlogd
