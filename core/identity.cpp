#include "core/identity.h"

#include <xxhash.h>

#include <bit>
#include <cstring>

namespace sessionlogd {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the layout is little-endian; swap bytes in append_le() on others");

template <class T>
void append_le(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

}  // namespace

std::uint64_t session_key(std::string_view source_id, std::string_view session_id, std::uint32_t generation) {
  std::string text;
  text.reserve(source_id.size() + 1 + session_id.size());
  text.append(source_id).append("/").append(session_id);
  return XXH3_64bits_withSeed(text.data(), text.size(), generation);
}

void HashInput::add_time(Instant at) {
  bytes_ += 't';
  append_le(bytes_, at.seconds);
  append_le(bytes_, at.nanos);
}

void HashInput::add_text(std::string_view utf8) { add_sized('s', utf8); }

void HashInput::add_raw(std::string_view token) { add_sized('r', token); }

void HashInput::add_sized(char kind, std::string_view text) {
  bytes_ += kind;
  append_le(bytes_, static_cast<std::uint32_t>(text.size()));
  bytes_.append(text);
}

std::uint64_t HashInput::entry_base(std::uint64_t session_key) const {
  return XXH3_64bits_withSeed(bytes_.data(), bytes_.size(), session_key);
}

std::uint32_t HashInput::event_hash() const {
  return static_cast<std::uint32_t>(XXH3_64bits(bytes_.data(), bytes_.size()));
}

std::uint64_t twin_key(std::uint64_t entry_base, std::uint32_t ordinal, std::uint64_t session_key) {
  if (ordinal == 0) return entry_base;
  std::string bytes;
  append_le(bytes, entry_base);
  append_le(bytes, ordinal);
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), session_key);
}

}  // namespace sessionlogd
