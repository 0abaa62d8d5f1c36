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

  // Reads it now; one trailing newline is not part of it. Throws SecretError when it cannot be read or is empty.
  std::string read() const;

  const std::string& reference() const { return reference_; }

  bool operator==(const Secret&) const = default;

 private:
  enum class Place { kFile, kEnvironment, kCredential };
  Secret(Place place, std::string name, std::string reference);

  Place place_;
  std::string name_;
  std::string reference_;
};

}  // namespace sessionlogd
