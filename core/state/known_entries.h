// What the bytes of an entry came to when they were read before. A response that has news repeats most of its entries
// byte by byte: those are found here by a hash of 64 bits, and need not be read again.
//
// A table of fixed size, shared by the sessions of a shard: what is not here is read as if it were new, so that being
// forgotten costs time only. Its hashes are secret to the process: no appliance can make two entries meet.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/state/session_history.h"

namespace sessionlogd {

class KnownEntries {
 public:
  // Takes at most so many bytes, from the first entry that is remembered.
  explicit KnownEntries(std::size_t bytes);
  ~KnownEntries();

  // `reading` names all that the digest of the bytes depends on beside them: whose entry it is, how it is read.
  std::uint64_t fingerprint(std::string_view raw, std::uint64_t reading) const;

  void prefetch(std::uint64_t fingerprint) const {
    if (buckets_) __builtin_prefetch(&buckets_[fingerprint & mask_]);
  }

  // nullopt: not known (any more).
  std::optional<EntryDigest> find(std::uint64_t fingerprint) const {
    if (!buckets_) return std::nullopt;
    for (const std::size_t at : {fingerprint & mask_, beside(fingerprint & mask_)}) {
      const Bucket& bucket = buckets_[at];
      for (std::size_t i = 0; i < kWays; ++i) {
        if (bucket.fingerprint[i] == fingerprint) return EntryDigest{bucket.base[i], bucket.hash[i], bucket.final[i]};
      }
    }
    return std::nullopt;
  }

  void remember(std::uint64_t fingerprint, const EntryDigest& digest);

 private:
  static constexpr std::size_t kWays = 3;
  // One line of the processor's cache.
  struct alignas(64) Bucket {
    std::array<std::uint64_t, kWays> fingerprint;  // 0: empty
    std::array<std::uint64_t, kWays> base;
    std::array<std::uint32_t, kWays> hash;
    std::array<bool, kWays> final;
  };
  struct Secret;
  struct Free {
    void operator()(Bucket* buckets) const { std::free(buckets); }
  };

  // What a full bucket has no room for is in the other of its pair, which processors fetch with it.
  std::size_t beside(std::size_t bucket) const { return (bucket ^ 1) & mask_; }
  void make_buckets();

  std::unique_ptr<Secret> secret_;
  std::unique_ptr<Bucket[], Free> buckets_;
  std::size_t mask_;
  std::size_t next_way_ = 0;
};

// The table, and how the entries of one response are read.
struct Remembered {
  KnownEntries* entries = nullptr;  // nullptr: none are
  std::uint64_t reading = 0;
};

// Finds the entries of a response that are known, some at a time.
class KnownEntryFinder {
 public:
  struct Found {
    std::string_view raw;
    EntryDigest digest;
  };

  // Begins with another response.
  void look(const Remembered& remembered) {
    remembered_ = remembered;
    known_ = unknown_ = next_ = guessed_ = 0;
    looking_ = remembered.entries != nullptr;
  }

  // Until too few are known for this to be the cheaper way.
  bool is_looking() const { return looking_; }

  // The entries from text[begin] on that are known: between them there is a comma, behind the last perhaps more. None:
  // the one that begins there is not known, or does not end where it is easy to see. Valid until the next call.
  std::span<const Found> find(std::string_view text, std::size_t begin);

 private:
  // As many as are fetched from memory at the same time.
  static constexpr std::size_t kGuessedTogether = 16;
  struct Guess {
    std::size_t begin, end;
    std::uint64_t fingerprint;
  };

  void guess(std::string_view text, std::size_t begin);

  Remembered remembered_;
  bool looking_ = false;
  std::size_t known_ = 0, unknown_ = 0;
  std::array<Guess, kGuessedTogether> guesses_;
  std::array<Found, kGuessedTogether> found_;
  std::size_t next_ = 0, guessed_ = 0;
};

}  // namespace sessionlogd
