// Fingerprints of what was delivered of the sessions of one source that were done last: 8 bytes an entry, so that one
// that is opened again is compared as always. They take a bounded amount of memory; the oldest go first.
//
//   oldest page ─▶ [key, count, fingerprints][key, count, ...] ... newest page: records are appended
//
// A done mark says on which page its record is (its place), so that no index is kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/state/session_history.h"

namespace sessionlogd {

class KeptFingerprints {
 public:
  // Returns the place, never 0. A history without entries has no record, and place 0.
  std::uint16_t put(std::uint64_t session_key, const SessionHistory& history);

  // nullopt when its record is not there.
  std::optional<SessionHistory> find(std::uint64_t session_key, std::uint16_t place) const;
  // The record is removed.
  std::optional<SessionHistory> take(std::uint64_t session_key, std::uint16_t place);

  // Removes the oldest until all of them take `most_bytes` at most; calls on_gone(session_key, entries) for each.
  template <class OnGone>
  void keep_within(std::size_t most_bytes, OnGone on_gone) {
    while (bytes_ > most_bytes) drop_oldest(on_gone);
  }

  std::size_t bytes() const { return bytes_; }

 private:
  struct Head {
    std::uint64_t session_key;  // kGone: taken
    std::uint32_t entries;
  };
  static constexpr std::size_t kHeadBytes = 12, kBytesPerEntry = sizeof(Fingerprint);
  static constexpr std::uint64_t kGone = 0;

  // Where a record begins.
  struct Record {
    std::size_t page, at;
    std::uint32_t entries;
  };
  std::optional<Record> record_of(std::uint64_t session_key, std::uint16_t place) const;
  SessionHistory history_of(const Record& record) const;
  static Head head_at(std::string_view page, std::size_t offset);
  template <class OnGone>
  void drop_oldest(OnGone on_gone) {
    const std::string page = std::move(pages_.front());
    pages_.pop_front();
    ++first_;
    bytes_ -= page.capacity();
    for (std::size_t at = 0; at < page.size();) {
      const Head head = head_at(page, at);
      if (head.session_key != kGone) on_gone(head.session_key, std::size_t{head.entries});
      at += kHeadBytes + head.entries * kBytesPerEntry;
    }
  }
  std::string& page_for(std::size_t bytes);

  std::deque<std::string> pages_;
  std::uint64_t first_ = 0;  // number of the oldest page
  std::size_t bytes_ = 0;
};

}  // namespace sessionlogd
