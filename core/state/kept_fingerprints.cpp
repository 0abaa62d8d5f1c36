#include "core/state/kept_fingerprints.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace sessionlogd {
namespace {

// It is dropped as a whole: some forty sessions of ten entries.
constexpr std::size_t kPageBytes = 4u << 10, kFirstBytes = 512;
constexpr std::uint64_t kPlaces = UINT16_MAX;  // 1 to 65,535

template <class T>
void append(std::string& page, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  page.append(bytes, sizeof(T));
}

template <class T>
T read_at(std::string_view page, std::size_t offset) {
  T value;
  std::memcpy(&value, page.data() + offset, sizeof(T));
  return value;
}

}  // namespace

KeptFingerprints::Head KeptFingerprints::head_at(std::string_view page, std::size_t offset) {
  return {read_at<std::uint64_t>(page, offset), read_at<std::uint32_t>(page, offset + sizeof(std::uint64_t))};
}

// The newest page grows as it fills: many sources have little. What is too large for a page has one of its own.
std::string& KeptFingerprints::page_for(std::size_t bytes) {
  if (pages_.empty() || pages_.back().size() + bytes > std::max(pages_.back().capacity(), kPageBytes)) {
    bytes_ += pages_.emplace_back().capacity();
  }
  std::string& page = pages_.back();
  if (const std::size_t needed = page.size() + bytes; needed > page.capacity()) {
    bytes_ -= page.capacity();
    page.reserve(needed > kPageBytes ? needed : std::bit_ceil(std::max(needed, kFirstBytes)));
    bytes_ += page.capacity();
  }
  return page;
}

std::uint16_t KeptFingerprints::put(std::uint64_t session_key, const SessionHistory& history) {
  if (history.size() == 0) return 0;
  std::string& page = page_for(kHeadBytes + history.size() * kBytesPerEntry);
  append(page, session_key);
  append(page, static_cast<std::uint32_t>(history.size()));
  for (const Fingerprint& entry : history.fingerprints()) append(page, entry);
  return static_cast<std::uint16_t>((first_ + pages_.size() - 1) % kPlaces + 1);
}

// Of 65,535 pages none stands in for another: a place that was used again leads to a record of another session.
std::optional<KeptFingerprints::Record> KeptFingerprints::record_of(std::uint64_t session_key,
                                                                    std::uint16_t place) const {
  if (place == 0) return std::nullopt;
  for (std::size_t number = (place - 1 + kPlaces - first_ % kPlaces) % kPlaces; number < pages_.size();
       number += kPlaces) {
    const std::string& page = pages_[number];
    for (std::size_t at = 0; at < page.size();) {
      const Head head = head_at(page, at);
      if (head.session_key == session_key) return Record{number, at, head.entries};
      at += kHeadBytes + head.entries * kBytesPerEntry;
    }
  }
  return std::nullopt;
}

SessionHistory KeptFingerprints::history_of(const Record& record) const {
  std::vector<Fingerprint> entries(record.entries);
  const char* const begin = pages_[record.page].data() + record.at + kHeadBytes;
  if (!entries.empty()) std::memcpy(entries.data(), begin, entries.size() * kBytesPerEntry);
  return SessionHistory::of(entries);
}

std::optional<SessionHistory> KeptFingerprints::find(std::uint64_t session_key, std::uint16_t place) const {
  const auto record = record_of(session_key, place);
  return record ? std::optional(history_of(*record)) : std::nullopt;
}

std::optional<SessionHistory> KeptFingerprints::take(std::uint64_t session_key, std::uint16_t place) {
  const auto record = record_of(session_key, place);
  if (!record) return std::nullopt;
  std::memset(pages_[record->page].data() + record->at, 0, sizeof(std::uint64_t));
  return history_of(*record);
}

}  // namespace sessionlogd
