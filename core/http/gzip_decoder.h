// Decodes a gzip body piece by piece, never further than there is room: what is not decoded yet waits as it came.
// libcurl's own decoding cannot stop: a paused transfer goes on to decode what was received, and keeps up to 64 MiB of
// it.
#pragma once

#include <span>
#include <string_view>

#include <zlib.h>

namespace sessionlogd {

class GzipDecoder {
 public:
  GzipDecoder();
  ~GzipDecoder();
  GzipDecoder(const GzipDecoder&) = delete;
  GzipDecoder& operator=(const GzipDecoder&) = delete;

  enum class Step {
    kNeedsInput,  // `from` is used up
    kNeedsRoom,   // `to` is full, and there may be more
    kFaulty,      // no gzip
  };
  // Decodes from the front of `from`, which loses what was used, into `to`; `filled` says how much.
  Step decode(std::string_view& from, std::span<char> to, std::size_t& filled);

  // Nothing is missing: the end of the body may be here.
  bool complete() const { return !inside_; }

 private:
  z_stream stream_{};
  bool inside_ = false;  // a member has begun and not ended
};

}  // namespace sessionlogd
