#include "bench/fleet/compress.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstddef>
#include <stdexcept>

namespace fleet {

namespace {

constexpr std::size_t kBombBytes = 80u << 20;
constexpr int kZlibWindow = 15;
constexpr int kGzipWindow = kZlibWindow + 16;  // 16 asks zlib for the gzip wrapper

std::string deflated(std::string_view text, int window) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib does not start");
  }
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string brotli(std::string_view text) {
  std::size_t size = BrotliEncoderMaxCompressedSize(text.size());
  std::string out(size, '\0');
  BrotliEncoderCompress(1, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, text.size(),
                        reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                        reinterpret_cast<std::uint8_t*>(out.data()));
  out.resize(size);
  return out;
}

std::string zstd(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1));
  return out;
}

std::array<Bomb, 4> make_bombs() {
  const std::string zeros(kBombBytes, '\0');
  const auto made = [](std::string body) {
    body.shrink_to_fit();
    return std::make_shared<const std::string>(std::move(body));
  };
  return {Bomb{"gzip", made(deflated(zeros, kGzipWindow))}, Bomb{"deflate", made(deflated(zeros, kZlibWindow))},
          Bomb{"br", made(brotli(zeros))}, Bomb{"zstd", made(zstd(zeros))}};
}

}  // namespace

std::string gzip(std::string_view text) { return deflated(text, kGzipWindow); }

const Bomb& bomb(std::string_view accept_encoding, std::uint64_t seed) {
  static const std::array<Bomb, 4> bombs = make_bombs();
  for (std::size_t i = 0; i < bombs.size(); ++i) {
    const Bomb& candidate = bombs[(seed + i) % bombs.size()];
    if (accept_encoding.find(candidate.coding) != std::string_view::npos) return candidate;
  }
  return bombs.front();
}

}  // namespace fleet
