#include "config/secret.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace sessionlogd {
namespace {

constexpr std::string_view kExpected = R"(expected "file:/path", "env:NAME" or "credential:NAME")";
constexpr std::size_t kMaxSecretBytes = 64 * 1024;  // a token is a few KiB; anything larger is the wrong file

bool is_environment_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == name.npos;
}

// systemd's own rule: a file name, nothing that leaves the directory.
bool is_credential_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || name == "." || name == "..") return false;
  return name.find_first_of(std::string_view("/\0", 2)) == name.npos;
}

std::string read_file(const std::filesystem::path& path, const std::string& reference) {
  // Only regular files: a pipe or a terminal would block the start.
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (error) throw SecretError(reference + " cannot be read: " + error.message());
  if (!std::filesystem::is_regular_file(status)) throw SecretError(reference + " cannot be read: not a regular file");

  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw SecretError(reference + " cannot be read: " + std::generic_category().message(errno));
  std::string value(kMaxSecretBytes + 1, '\0');
  in.read(value.data(), static_cast<std::streamsize>(value.size()));
  if (in.bad()) throw SecretError(reference + " cannot be read: " + std::generic_category().message(errno));
  value.resize(static_cast<std::size_t>(in.gcount()));
  if (value.size() > kMaxSecretBytes) throw SecretError(reference + " cannot be read: larger than 64 KiB");
  return value;
}

std::string read_environment(const std::string& name, const std::string& reference) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) throw SecretError(reference + " cannot be read: the environment variable is not set");
  return value;
}

std::string path_of_credential(const std::string& name, const std::string& reference) {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || *directory == '\0') {
    throw SecretError(reference +
                      " cannot be read: $CREDENTIALS_DIRECTORY is not set (LoadCredential= in the unit sets it)");
  }
  return (std::filesystem::path(directory) / name).string();
}

// What an editor adds to the text of a file that is no part of it. Notepad begins UTF-8 with a mark, and UTF-16 with
// another.
void take_editors_part_off(std::string& value, const std::string& reference) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (value.starts_with("\xFF\xFE") || value.starts_with("\xFE\xFF") || value.find('\0') != value.npos) {
    throw SecretError(reference + " holds UTF-16 or binary data, expected text in UTF-8");
  }
  if (value.starts_with(kMark)) value.erase(0, kMark.size());
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
}

}  // namespace

Secret::Secret(Place place, std::string name, std::string reference)
    : place_(place), name_(std::move(name)), reference_(std::move(reference)) {}

// What is not understood is never repeated: it may be the secret itself.
Secret Secret::parse(std::string_view reference) {
  const std::size_t colon = reference.find(':');
  const std::string_view place = reference.substr(0, colon == reference.npos ? 0 : colon);
  const std::string name(colon == reference.npos ? std::string_view() : reference.substr(colon + 1));
  if (place == "file") {
    if (!name.starts_with('/') || name.find('\0') != name.npos) {
      throw SecretError("found \"file:\" without an absolute path, " + std::string(kExpected));
    }
    return {Place::kFile, name, std::string(reference)};
  }
  if (place == "env") {
    if (!is_environment_name(name)) {
      throw SecretError("found \"env:\" without the name of a variable, " + std::string(kExpected));
    }
    return {Place::kEnvironment, name, std::string(reference)};
  }
  if (place == "credential") {
    if (!is_credential_name(name)) {
      throw SecretError("found \"credential:\" without the name of a credential, " + std::string(kExpected));
    }
    return {Place::kCredential, name, std::string(reference)};
  }
  throw SecretError("found a literal (not shown), " + std::string(kExpected));
}

std::string Secret::path() const {
  return place_ == Place::kCredential ? path_of_credential(name_, reference_) : name_;
}

std::string Secret::read_text() const {
  std::string value;
  if (place_ == Place::kEnvironment) {
    value = read_environment(name_, reference_);
  } else {
    value = read_file(path(), reference_);
    take_editors_part_off(value, reference_);
  }
  if (value.empty()) throw SecretError(reference_ + " is empty");
  return value;
}

std::string Secret::read() const {
  std::string value = read_text();
  if (value.find_first_of("\r\n") != value.npos) {
    throw SecretError(reference_ + " holds more than one line, expected one (an empty one at the end counts, too)");
  }
  return value;
}

std::string Secret::exposure() const {
  if (place_ == Place::kEnvironment) return {};
  struct stat info {};
  if (::stat(path().c_str(), &info) != 0 || (info.st_mode & S_IROTH) == 0) return {};
  char mode[8];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(info.st_mode & 07777));
  return reference_ + " may be read by every user of this host (mode " + mode + ")";
}

}  // namespace sessionlogd
