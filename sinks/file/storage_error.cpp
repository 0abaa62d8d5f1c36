#include "sinks/file/storage_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include "core/state/sink.h"

namespace sessionlogd {

bool is_out_of_room(int error) { return error == ENOSPC || error == EDQUOT || error == EFBIG || error == EROFS; }

void throw_storage_error(std::string_view what, int error) {
  const std::string text = fmt::format("{}: {}", what, std::generic_category().message(error));
  if (is_out_of_room(error)) throw TryLater(text);
  if (error == ENOTDIR || error == EISDIR || error == ENAMETOOLONG || error == ELOOP) throw WrongSetting(text);
  throw std::runtime_error(text);
}

}  // namespace sessionlogd
