#include "config/read_tls.h"

#include "config/tls_files.h"
#include "config/url.h"
#include "config/value_rules.h"

namespace sessionlogd {
namespace {

using T = TlsSettings;

// 32 bytes are 43 characters of base64 and one "=".
std::vector<std::string> pins(const TomlValue& value) {
  std::vector<std::string> found = filled_texts(value);
  for (const std::string& pin : found) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const bool right = pin.size() == 44 && pin.find_first_not_of(kAlphabet) == 43 && pin[43] == '=' &&
                       kAlphabet.find(pin[42]) % 4 == 0;  // the last two of its six bits are padding
    if (!right) throw ValueError(in_quotes(pin), "the base64 of 32 bytes: the SHA-256 of the certificate's public key");
  }
  return found;
}

std::string host_name(const TomlValue& value) {
  std::string found = text(value);
  if (!is_host(found)) throw ValueError(describe(value), "a host name or an IP address");
  return found;
}

Form<std::string> files() {
  Form<std::string> form = texts_by(absolute_path);
  form.read = [](const TomlValue& value, const ReadContext& context) {
    return context.opens_files() ? readable_file(value) : absolute_path(value);
  };
  return form;
}

}  // namespace

const Keys<TlsSettings>& tls_keys() {
  static const Keys<T> keys = a_key_for_each_member<T>({
      {"ca_file", &T::ca_file, files(), "whom to trust", {.default_words = "the system's authorities"}},
      {"pin_sha256",
       &T::pin_sha256,
       lists_by(pins),
       "base64 of the SHA-256 of the public key; replaces the checks of chain and name unless `ca_file` is given too",
       {.default_words = "none"}},
      {"server_name",
       &T::server_name,
       texts_by(host_name),
       "the name in the certificate",
       {.default_words = "the host of `url`"}},
      {"verify", &T::verify, yes_or_no(), "false is warned about at every start"},
      {"cert_file", &T::cert_file, files(), "the daemon's own certificate", {.default_words = "none"}},
      {"key_file", &T::key_file, files(), "and its key, which may be in the same file", {.default_words = "none"}},
  });
  return keys;
}

void read_tls(TableReader& table, const ReadContext& context, TlsSettings& into) {
  const std::vector<std::string_view> refused = read_keys(table, tls_keys(), context, into);
  if (table.has("cert_file") != table.has("key_file")) {
    table.refuse(table.has("cert_file") ? "cert_file" : "key_file",
                 "found one of cert_file and key_file, expected both (they may name the same file)");
  } else if (context.opens_files() && !is_among(refused, {"ca_file", "cert_file", "key_file"})) {
    for (const TlsFileFault& fault : find_tls_file_faults(into.ca_file, into.cert_file, into.key_file)) {
      table.refuse(fault.key, "found a file that cannot be used: " + fault.why);
    }
  }
  table.finish();
}

}  // namespace sessionlogd
