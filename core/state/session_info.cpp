#include "core/state/session_info.h"

#include <cstring>
#include <string>

#include "core/state/state_row.h"

namespace sessionlogd {

using state_row::Tag;

void SessionInfo::take(Tag tag, std::string_view bytes) {
  switch (tag) {
    case Tag::kId:
      id = bytes;
      break;
    case Tag::kType:
      type = bytes;
      break;
    case Tag::kName:
      name = bytes;
      break;
    case Tag::kParent:
      parent = bytes;
      break;
    case Tag::kStatus:
      status = bytes;
      break;
    case Tag::kStart:
      start = state_row::read_time(bytes);
      break;
    case Tag::kStop:
      stop = state_row::read_time(bytes);
      break;
    default:
      break;
  }
}

KeptSessionInfo::KeptSessionInfo(const SessionInfo& info) {
  std::string fields;
  append_text(fields, Tag::kId, info.id);
  append_text(fields, Tag::kType, info.type);
  append_text(fields, Tag::kName, info.name);
  append_text(fields, Tag::kParent, info.parent);
  append_text(fields, Tag::kStatus, info.status);
  append_time(fields, Tag::kStart, info.start);
  append_time(fields, Tag::kStop, info.stop);
  if (fields.empty()) return;
  const auto size = static_cast<std::uint32_t>(fields.size());
  block_ = std::make_unique_for_overwrite<char[]>(sizeof(size) + size);
  std::memcpy(block_.get(), &size, sizeof(size));
  std::memcpy(block_.get() + sizeof(size), fields.data(), size);
}

SessionInfo KeptSessionInfo::view() const {
  SessionInfo info;
  state_row::read_fields(fields(), [&](Tag tag, std::string_view bytes) { info.take(tag, bytes); });
  return info;
}

std::string_view KeptSessionInfo::fields() const {
  if (!block_) return {};
  std::uint32_t size;
  std::memcpy(&size, block_.get(), sizeof(size));
  return {block_.get() + sizeof(size), size};
}

}  // namespace sessionlogd
