#include "core/http/gzip_decoder.h"

#include <algorithm>
#include <limits>
#include <new>

namespace sessionlogd {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest; 16 asks zlib for the gzip wrapper, and to check its sums

uInt at_most_uint(std::size_t size) {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max()));
}

}  // namespace

GzipDecoder::GzipDecoder() {
  if (inflateInit2(&stream_, kGzipWindow) != Z_OK) throw std::bad_alloc();
}

GzipDecoder::~GzipDecoder() { inflateEnd(&stream_); }

GzipDecoder::Step GzipDecoder::decode(std::string_view& from, std::span<char> to, std::size_t& filled) {
  filled = 0;
  for (;;) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));  // zlib does not change it
    stream_.avail_in = at_most_uint(from.size());
    stream_.next_out = reinterpret_cast<Bytef*>(to.data() + filled);
    stream_.avail_out = at_most_uint(to.size() - filled);
    if (stream_.avail_out == 0) return Step::kNeedsRoom;
    if (stream_.avail_in != 0) inside_ = true;
    const int result = inflate(&stream_, Z_NO_FLUSH);
    from.remove_prefix(static_cast<std::size_t>(reinterpret_cast<const char*>(stream_.next_in) - from.data()));
    filled = static_cast<std::size_t>(reinterpret_cast<char*>(stream_.next_out) - to.data());
    if (result == Z_STREAM_END) {
      inside_ = false;  // another member may follow (RFC 1952, section 2.2)
      if (inflateReset(&stream_) != Z_OK) return Step::kFaulty;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return Step::kFaulty;
    }
    if (filled == to.size()) return Step::kNeedsRoom;
    if (from.empty()) return Step::kNeedsInput;
    if (result == Z_BUF_ERROR) return Step::kFaulty;  // room and input, and still no progress
  }
}

}  // namespace sessionlogd
