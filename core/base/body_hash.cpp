#include "core/base/body_hash.h"

// The library's own choice of the widest instructions that the processor has: its plain functions take SSE2.
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

namespace sessionlogd {

std::uint64_t hash_body(std::string_view text) {
  const std::uint64_t hash = XXH3_64bits(text.data(), text.size());
  return hash == 0 ? 1 : hash;
}

}  // namespace sessionlogd
