#include "core/state/identity.h"

// Inputs are short: a call of the library would cost as much as the hash.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace sessionlogd {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the layout is little-endian; swap bytes in append_le() on others");

template <class T>
char* put_le(char* to, T value) {
  std::memcpy(to, &value, sizeof(T));
  return to + sizeof(T);
}

}  // namespace

// XXH3 only adds the seed to what it exclusive-ors a text of up to 8 bytes with: another generation of "eu/1000" would
// be "eu/3000". A longer one begins with the source in a word that the seed changes, too, so no two of a source meet.
std::uint64_t session_key(std::string_view source_id, std::string_view session_id, std::uint32_t generation) {
  constexpr std::size_t kSeedIsOnlyAdded = 8;
  std::string text;
  text.reserve(source_id.size() + 1 + session_id.size());
  text.append(source_id).append("/").append(session_id);
  if (generation == 0 || text.size() > kSeedIsOnlyAdded)
    return XXH3_64bits_withSeed(text.data(), text.size(), generation);
  char bytes[sizeof(std::uint64_t) + sizeof(generation)];
  put_le(put_le(bytes, XXH3_64bits(text.data(), text.size())), generation);
  return XXH3_64bits(bytes, sizeof bytes);
}

void HashInput::grow(std::size_t more) { bytes_.resize(std::max(2 * bytes_.size(), size_ + more)); }

std::uint64_t HashInput::entry_base(std::uint64_t session_key) const {
  return XXH3_64bits_withSeed(bytes_.data(), size_, session_key);
}

std::uint32_t HashInput::event_hash() const { return static_cast<std::uint32_t>(XXH3_64bits(bytes_.data(), size_)); }

std::uint64_t twin_key(std::uint64_t entry_base, std::uint32_t ordinal, std::uint64_t session_key) {
  if (ordinal == 0) return entry_base;
  char bytes[sizeof(entry_base) + sizeof(ordinal)];
  put_le(put_le(bytes, entry_base), ordinal);
  return XXH3_64bits_withSeed(bytes, sizeof bytes, session_key);
}

std::uint64_t gap_key(GapKind kind, std::uint32_t number, std::uint64_t session_key) {
  HashInput input;
  input.add_raw("gap");
  if (kind == GapKind::kMayBeMissing || number > 0) {
    input.add_raw(kind == GapKind::kGivenUp ? "given up" : "may be missing");
    input.add_raw(std::to_string(number));
  }
  return input.entry_base(session_key);
}

std::uint32_t sum_share(std::uint64_t entry_key, std::uint32_t hash) {
  char bytes[sizeof(std::uint32_t) + sizeof(hash)];
  put_le(put_le(bytes, static_cast<std::uint32_t>(entry_key)), hash);
  return static_cast<std::uint32_t>(XXH3_64bits(bytes, sizeof bytes));
}

}  // namespace sessionlogd
