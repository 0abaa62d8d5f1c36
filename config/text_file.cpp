#include "config/text_file.h"

#include <cerrno>
#include <fstream>
#include <system_error>

#include "config/error_list.h"

namespace sessionlogd {

std::optional<std::string> read_text_file(const std::filesystem::path& file, ErrorList& errors) {
  constexpr std::size_t kMaxBytes = (4u << 20) + 1;
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (!error && !std::filesystem::is_regular_file(status)) {
    errors.add(file.string(), 0, "", "cannot be read: not a regular file");
    return std::nullopt;
  }
  std::string text;
  if (!error) {
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    text.resize(kMaxBytes);
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!in.is_open() || in.bad()) error.assign(errno != 0 ? errno : EIO, std::generic_category());
    text.resize(in.is_open() ? static_cast<std::size_t>(in.gcount()) : 0);
  }
  if (error) {
    errors.add(file.string(), 0, "", "cannot be read: " + error.message());
    return std::nullopt;
  }
  return text;
}

}  // namespace sessionlogd
