#include "sinks/file/zstd_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "sinks/file/owned_fd.h"

namespace sessionlogd {
namespace {

// zstd's own default. Level 9 makes these lines a fifth smaller at five times the CPU time.
constexpr int kLevel = 3;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

std::size_t read_at(int fd, std::uint64_t offset, std::span<char> into) {
  for (;;) {
    const ssize_t got = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) fail("cannot be read");
  }
}

void write_at(int fd, std::uint64_t offset, std::span<char> bytes, FileOps& ops) {
  while (!bytes.empty()) {
    const iovec piece{bytes.data(), bytes.size()};
    const ssize_t done = ops.pwritev(fd, &piece, 1, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail("cannot be written");
    if (done == 0) throw std::system_error(ENOSPC, std::generic_category(), "cannot be written");
    offset += static_cast<std::uint64_t>(done);
    bytes = bytes.subspan(static_cast<std::size_t>(done));
  }
}

struct FreeCompressor {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};
struct FreeDecompressor {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

struct ZstdReader::Stream {
  std::string path;
  OwnedFd fd;
  std::unique_ptr<ZSTD_DCtx, FreeDecompressor> context{ZSTD_createDCtx()};
  std::vector<char> bytes = std::vector<char>(ZSTD_DStreamInSize());
  ZSTD_inBuffer in{bytes.data(), 0, 0};
  std::uint64_t offset = 0;
  bool within_frame = false;

  // false: the file has ended.
  bool fill() {
    const std::size_t got = read_at(fd.get(), offset, bytes);
    offset += got;
    in = {bytes.data(), got, 0};
    return got != 0;
  }
};

ZstdReader::ZstdReader(const std::string& path) : stream_(std::make_unique<Stream>()) {
  stream_->path = path;
  stream_->fd = OwnedFd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!stream_->fd)
    throw std::runtime_error(
        fmt::format("output {} cannot be opened: {}", path, std::generic_category().message(errno)));
}

ZstdReader::~ZstdReader() = default;

std::size_t ZstdReader::read(std::span<char> into) {
  Stream& stream = *stream_;
  ZSTD_outBuffer out{into.data(), into.size(), 0};
  while (out.pos < out.size) {
    if (stream.in.pos == stream.in.size && !stream.fill()) {
      if (stream.within_frame)
        throw std::runtime_error(fmt::format("output {} is damaged: its compressed content is cut short", stream.path));
      break;
    }
    const std::size_t left = ZSTD_decompressStream(stream.context.get(), &out, &stream.in);
    if (ZSTD_isError(left) != 0)
      throw std::runtime_error(fmt::format("output {} is damaged: {}", stream.path, ZSTD_getErrorName(left)));
    stream.within_frame = left != 0;
  }
  return out.pos;
}

std::uint64_t ZstdReader::consumed() const { return stream_->offset; }

bool compress(int from, int to, FileOps& ops, const std::function<bool()>& stop) {
  const std::unique_ptr<ZSTD_CCtx, FreeCompressor> context{ZSTD_createCCtx()};
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  std::vector<char> plain(ZSTD_CStreamInSize()), packed(ZSTD_CStreamOutSize());
  std::uint64_t read = 0, written = 0;
  for (bool ended = false; !ended;) {
    if (stop()) return false;
    ZSTD_inBuffer in{plain.data(), read_at(from, read, plain), 0};
    read += in.size;
    ended = in.size == 0;
    for (std::size_t left = 1; ended ? left != 0 : in.pos < in.size;) {
      ZSTD_outBuffer out{packed.data(), packed.size(), 0};
      left = ZSTD_compressStream2(context.get(), &out, &in, ended ? ZSTD_e_end : ZSTD_e_continue);
      if (ZSTD_isError(left) != 0) throw std::system_error(ENOMEM, std::generic_category(), ZSTD_getErrorName(left));
      write_at(to, written, {packed.data(), out.pos}, ops);
      written += out.pos;
    }
  }
  return true;
}

bool same_content(int plain, const std::string& compressed, const std::function<bool()>& stop) {
  ZstdReader reader(compressed);
  std::vector<char> one(ZSTD_DStreamOutSize()), two(one.size());
  for (std::uint64_t offset = 0;;) {
    if (stop()) return false;
    const std::size_t unpacked = reader.read(one);
    std::size_t size = 0;
    for (std::size_t got = 1; got != 0 && size < two.size(); size += got)
      got = read_at(plain, offset + size, std::span(two).subspan(size));
    if (size != unpacked || std::memcmp(one.data(), two.data(), size) != 0) return false;
    if (size == 0) return true;
    offset += size;
  }
}

}  // namespace sessionlogd
