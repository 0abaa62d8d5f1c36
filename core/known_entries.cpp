#include "core/known_entries.h"

// Entries are short: a call of the library would cost as much as the hash.
#define XXH_INLINE_ALL
#include <sys/mman.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <new>
#include <random>

namespace sessionlogd {
namespace {

constexpr std::size_t kLargePage = 2u << 20;

}  // namespace

struct KnownEntries::Secret {
  std::array<unsigned char, XXH3_SECRET_DEFAULT_SIZE> bytes;
};

KnownEntries::KnownEntries(std::size_t bytes)
    : secret_(std::make_unique<Secret>()), mask_(std::bit_floor(std::max(bytes, sizeof(Bucket)) / sizeof(Bucket)) - 1) {
  std::random_device random;
  for (unsigned char& byte : secret_->bytes) byte = static_cast<unsigned char>(random());
}

KnownEntries::~KnownEntries() = default;

std::uint64_t KnownEntries::fingerprint(std::string_view raw, std::uint64_t reading) const {
  const std::uint64_t hash =
      reading ^ XXH3_64bits_withSecret(raw.data(), raw.size(), secret_->bytes.data(), secret_->bytes.size());
  return hash == 0 ? 1 : hash;
}

// In large pages if it fills one: half of the time of a look-up goes into finding the page of its bucket otherwise.
void KnownEntries::make_buckets() {
  const std::size_t bytes = (mask_ + 1) * sizeof(Bucket);
  const std::size_t alignment = bytes >= kLargePage ? kLargePage : alignof(Bucket);
  buckets_.reset(static_cast<Bucket*>(std::aligned_alloc(alignment, bytes)));
  if (!buckets_) throw std::bad_alloc();
  if (alignment == kLargePage) ::madvise(buckets_.get(), bytes, MADV_HUGEPAGE);  // good advice only
  std::uninitialized_value_construct_n(buckets_.get(), mask_ + 1);
}

void KnownEntries::remember(std::uint64_t fingerprint, const EntryDigest& digest) {
  if (!buckets_) make_buckets();
  Bucket& bucket = buckets_[fingerprint & mask_];
  std::size_t way = 0;
  while (way < kWays && bucket.fingerprint[way] != 0) ++way;
  // Any one goes: the oldest would always be the one that is asked for next, where sessions are polled in turn.
  if (way == kWays) way = next_way_++ % kWays;
  bucket.fingerprint[way] = fingerprint;
  bucket.base[way] = digest.base;
  bucket.hash[way] = digest.hash;
  bucket.final[way] = digest.final;
}

}  // namespace sessionlogd
