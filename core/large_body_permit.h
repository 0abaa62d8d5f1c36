// The one permit to read a large body. Who asks while another has it waits in order of asking.
//
// A Reader asks from inside curl's write callback, where nothing of curl may be called: so it is answered at once, and
// what follows (must_wait, granted) comes in a later turn of the io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <memory>

namespace sessionlogd {

class LargeBodyPermit : public std::enable_shared_from_this<LargeBodyPermit> {
 public:
  class Reader : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::safe_link>> {
   public:
    virtual void must_wait() = 0;  // not called when granted() follows at once
    virtual void granted() = 0;

    virtual ~Reader() = default;

   private:
    friend class LargeBodyPermit;
    bool told_ = false;
  };

  explicit LargeBodyPermit(boost::asio::io_context& io) : io_(io) {}

  // True: `reader` has the permit, now or since before. False: it waits for granted().
  bool take(Reader& reader);

  // `reader` neither has nor wants the permit any more; harmless if it never did.
  void leave(Reader& reader);

  std::size_t waiting() const { return waiting_.size(); }

 private:
  void post_turn();
  void turn();

  boost::asio::io_context& io_;
  Reader* holder_ = nullptr;
  boost::intrusive::list<Reader> waiting_;
  bool turn_posted_ = false;
};

}  // namespace sessionlogd
