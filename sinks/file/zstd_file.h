// Files compressed with zstd, as streams of bounded memory. The only place that knows libzstd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "sinks/file/file_ops.h"

namespace sessionlogd {

// Reads what a compressed file holds, from its start. Throws std::runtime_error when it cannot be read or is damaged:
// every frame carries a checksum.
class ZstdReader {
 public:
  explicit ZstdReader(const std::string& path);
  ~ZstdReader();

  // Fills `into` unless the content ends; how much there was.
  std::size_t read(std::span<char> into);

  std::uint64_t consumed() const;  // bytes of the compressed file

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
};

// Writes `from` (an open file) compressed to `to` (an empty one). false: `stop` said so in between. Throws
// std::system_error.
bool compress(int from, int to, FileOps& ops, const std::function<bool()>& stop);

// Whether a compressed file holds what the plain one does, byte for byte; also false when `stop` said so in between.
bool same_content(int plain, const std::string& compressed, const std::function<bool()>& stop);

}  // namespace sessionlogd
