#include "core/state/known_entries.h"

// Entries are short: a call of the library would cost as much as the hash.
#define XXH_INLINE_ALL
#include <sys/mman.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <random>

#include "core/base/json_text.h"

namespace sessionlogd {
namespace {

constexpr std::size_t kLargePage = 2u << 20;

// Where more entries of a response are unknown, and an eighth of those that are known, an index is worth its making.
constexpr std::size_t kMostUnknown = 8, kUnknownShare = 8;

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
  const auto way_in = [&](const Bucket& bucket) {
    std::size_t way = 0;
    while (way < kWays && bucket.fingerprint[way] != 0 && bucket.fingerprint[way] != fingerprint) ++way;
    return way;
  };
  std::size_t at = fingerprint & mask_;
  std::size_t way = way_in(buckets_[at]);
  if (way == kWays) {
    const std::size_t beside_way = way_in(buckets_[beside(at)]);
    // Any one goes: the oldest would always be the one that is asked for next, where sessions are polled in turn.
    way = beside_way < kWays ? beside_way : next_way_++ % kWays;
    if (beside_way < kWays) at = beside(at);
  }
  Bucket& bucket = buckets_[at];
  bucket.fingerprint[way] = fingerprint;
  bucket.base[way] = digest.base;
  bucket.hash[way] = digest.hash;
  bucket.final[way] = digest.final;
}

// Where the next entries end if they hold no other object, and no brace in a text: if these bytes were an entry once,
// they do. What is known of them is fetched meanwhile.
void KnownEntryFinder::guess(std::string_view text, std::size_t begin) {
  next_ = guessed_ = 0;
  while (guessed_ < guesses_.size() && begin < text.size()) {
    const void* brace = std::memchr(text.data() + begin, '}', text.size() - begin);
    if (brace == nullptr) return;
    const std::size_t end = static_cast<std::size_t>(static_cast<const char*>(brace) - text.data()) + 1;
    const std::uint64_t fingerprint =
        remembered_.entries->fingerprint(text.substr(begin, end - begin), remembered_.reading);
    remembered_.entries->prefetch(fingerprint);
    guesses_[guessed_++] = {begin, end, fingerprint};
    begin = skip_white_space(text, end);
    if (begin >= text.size() || text[begin] != ',') return;
    begin = skip_white_space(text, begin + 1);
  }
}

std::span<const KnownEntryFinder::Found> KnownEntryFinder::find(std::string_view text, std::size_t begin) {
  if (next_ == guessed_ || guesses_[next_].begin != begin) guess(text, begin);
  std::size_t found = 0;
  for (; next_ < guessed_; ++next_) {
    const Guess& guess = guesses_[next_];
    const auto digest = remembered_.entries->find(guess.fingerprint);
    if (!digest) break;
    found_[found++] = {text.substr(guess.begin, guess.end - guess.begin), *digest};
  }
  known_ += found;
  if (found == 0) {
    if (next_ < guessed_) ++next_;
    looking_ = ++unknown_ <= kMostUnknown + known_ / kUnknownShare;
  }
  return {found_.data(), found};
}

}  // namespace sessionlogd
