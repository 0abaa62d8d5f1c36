// Where a secret is read from: "file:/path", "env:NAME" or "credential:NAME" (a file in $CREDENTIALS_DIRECTORY).
//
// Holds the place, never the value, so it may be copied, printed and compared.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace sessionlogd {

// what() names the place and why it could not be read, never the value.
struct SecretError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Secret {
 public:
  // A literal is refused: the text would be in the configuration, in backups and in process lists. Throws SecretError.
  static Secret parse(std::string_view reference);

  // Reads it now: one line. A byte order mark and one newline at the end are not part of it. Throws SecretError when it
  // cannot be read, is empty, is no UTF-8 text (UTF-16, a zero byte) or holds a further line: whatever was meant then,
  // it would be refused as a wrong password.
  std::string read() const;

  // The same for what may have several lines, as a key in PEM form has.
  std::string read_text() const;

  // Who else may read the file: "file:/path may be read by every user of this host (mode 0644)"; "" = nobody, or it is
  // no file.
  std::string exposure() const;

  const std::string& reference() const { return reference_; }

  bool operator==(const Secret&) const = default;

 private:
  enum class Place { kFile, kEnvironment, kCredential };
  Secret(Place place, std::string name, std::string reference);
  std::string path() const;

  Place place_;
  std::string name_;
  std::string reference_;
};

}  // namespace sessionlogd
