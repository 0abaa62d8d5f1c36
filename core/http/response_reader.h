// A response as it arrives: its header fields and its body, decoded, within the caps and within the memory there is.
// Stops at the first thing wrong with it. Knows nothing of curl.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/body.h"
#include "core/base/result.h"
#include "core/http/gzip_decoder.h"
#include "core/http/large_body_permit.h"

namespace sessionlogd {

class ResponseReader {
 public:
  // All header fields of one response together, in bytes.
  static constexpr std::size_t kMostHeaderBytes = 256u << 10;

  enum class Fault {
    kNone,
    kTooLarge,
    kHeadersTooLarge,
    kUnknownCoding,
    kUndecodable,
    kNoResponse,
    kNothingInIt,
    kTooSlow,
    kNoMemory
  };
  enum class Taken { kAll, kNoRoom, kFaulty };

  // `waiter` is told when there is room again. The permit outlives this.
  ResponseReader(LargeBodyPermit& permit, LargeBodyPermit::Reader& waiter) : permit_(permit), waiter_(waiter) {}

  // A new response, into `body`; at most so many bytes of it, decoded and on the wire.
  void begin(Body body, std::size_t max_body);

  // One line, with its end or without. false: faulty.
  bool take_header(std::string_view line);

  // A piece of the body. After kNoRoom the same piece is to come again, from its first byte.
  Taken take_body(std::string_view more);

  // For what is kept within the memory that `granted` allows.
  void permit(LargeBodyPermit::Held granted) { body_.permit(std::move(granted)); }

  // The response is whole, as far as the connection knows.
  void end();

  // Ends the reading for a reason of the caller's; the first one stays.
  void fail(Fault fault) {
    if (fault_ == Fault::kNone) fault_ = fault;
  }

  bool is_faulty() const { return fault_ != Fault::kNone; }
  // What is wrong with it, asked of a faulty one; `who` sent it.
  Error error(const std::string& who) const;

  Body take() { return std::move(body_); }
  std::string take_content_type() { return std::move(content_type_); }
  // Frees what the response took, but for strings.
  void clear();

  std::size_t header_bytes() const { return header_bytes_; }
  std::size_t size() const { return body_.size(); }  // of the body, decoded
  // Bytes of header and body that were taken, as they came.
  std::uint64_t received() const { return header_bytes_ + (gzip_ ? on_wire_ : body_.size()); }
  const std::string& retry_after() const { return retry_after_; }  // "" = none
  // Cut where they are long; "" = none.
  std::string take_www_authenticate() { return std::move(www_authenticate_); }
  std::string take_location() { return std::move(location_); }
  std::optional<std::int64_t> date() const { return date_; }  // Unix seconds

 private:
  Taken take_gzip(std::string_view more);
  void take_coding(std::string_view coding);
  bool make_room(std::size_t size, std::size_t expected);
  Taken faulty(Fault fault);

  LargeBodyPermit& permit_;
  LargeBodyPermit::Reader& waiter_;
  std::size_t max_body_ = 0;
  Fault fault_ = Fault::kNone;
  bool in_header_ = false;
  std::unique_ptr<GzipDecoder> gzip_;  // of a body that comes packed
  std::size_t decoded_ = 0;            // bytes of the piece that comes again after kNoRoom
  std::size_t on_wire_ = 0;            // bytes of all pieces before that one
  std::size_t header_bytes_ = 0;
  std::uint64_t content_length_ = 0;
  Body body_;
  std::string content_type_;
  std::string retry_after_, www_authenticate_, location_;
  std::optional<std::int64_t> date_;
};

}  // namespace sessionlogd
