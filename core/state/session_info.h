// What the listing says of a session, and how it is kept.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/timestamp.h"

namespace sessionlogd {

namespace state_row {
enum class Tag : std::uint8_t;
}

// Views of what someone else holds.
struct SessionInfo {
  std::string_view id;
  std::string_view type{}, name{}, parent{}, status{};  // "" = not said
  std::optional<Instant> start{}, stop{};               // in UTC

  // The field of a row, if it is one of these.
  void take(state_row::Tag tag, std::string_view bytes);

  friend bool operator==(const SessionInfo&, const SessionInfo&) = default;
};

// Holds it in one block, as the session's durable row has it: there may be a million sessions, and each text as a
// string of its own would take twice the bytes.
class KeptSessionInfo {
 public:
  KeptSessionInfo() = default;
  KeptSessionInfo(const SessionInfo& info);
  KeptSessionInfo(const KeptSessionInfo& other) : KeptSessionInfo(other.view()) {}
  KeptSessionInfo(KeptSessionInfo&& other) noexcept = default;
  KeptSessionInfo& operator=(KeptSessionInfo other) noexcept {
    block_.swap(other.block_);
    return *this;
  }

  // Valid until this ends or gets another value.
  SessionInfo view() const;
  std::string_view id() const { return view().id; }

  // Its fields in the session's row.
  std::string_view fields() const;

 private:
  std::unique_ptr<char[]> block_;  // the size of the fields (u32), the fields; none when they are empty
};

}  // namespace sessionlogd
