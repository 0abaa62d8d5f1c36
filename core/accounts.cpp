#include "core/accounts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <random>
#include <sstream>
#include <system_error>

#include "core/http_headers.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kHead = "sessionlogd-accounts-1";

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string encoded(std::string_view text) {
  std::string out;
  append_percent_encoded(out, text);
  return out;
}

// Written beside it and renamed: whoever is killed leaves the old one.
bool replace_file(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool closed = ::close(fd) == 0;
  return written && closed && ::rename(part.c_str(), path.c_str()) == 0;
}

}  // namespace

Accounts::Turn::~Turn() {
  if (accounts_ == nullptr) return;
  const std::lock_guard lock(accounts_->mutex_);
  accounts_->entries_[of_].taken = false;
}

Accounts::Accounts(std::string file) : file_(std::move(file)) {
  std::random_device entropy;
  key_ = std::uint64_t{entropy()} << 32 | entropy();
  if (!file_.empty()) load();
}

std::optional<Accounts::Turn> Accounts::take_turn(const Account& account) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[account];
  if (!entry.good && entry.taken) return std::nullopt;
  entry.taken = true;
  return Turn(*this, account);
}

void Accounts::granted(const Account& account) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[account];
  entry.good = true;
  if (std::exchange(entry.until, 0) != 0) save();
}

void Accounts::refused(const Account& account, const std::string& secret, Instant now, const std::string& why) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[account];
  entry.good = false;
  entry.until = now.seconds + kParkedSeconds;
  entry.digest = digest_of(secret);
  entry.why = why;
  save();
}

std::optional<Accounts::Parked> Accounts::parks(const Account& account, const std::string& secret, Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(account);
  if (found == entries_.end() || found->second.digest != digest_of(secret)) return std::nullopt;
  const Entry& entry = found->second;
  if (now.seconds >= entry.until) return std::nullopt;
  // A clock that was set back since makes it no longer.
  return Parked{std::min(entry.until - now.seconds, kParkedSeconds), entry.why};
}

std::uint16_t Accounts::digest_of(const std::string& secret) const {
  return static_cast<std::uint16_t>(XXH3_64bits_withSeed(secret.data(), secret.size(), key_));
}

// head key ⏎, and for each account that is parked: until digest user url ⏎, user and url percent-encoded
void Accounts::load() {
  std::ifstream in(file_);
  if (!in) {
    if (errno != ENOENT) say_failure("read");
    return;
  }
  std::string line, head, key;
  std::getline(in, line);
  std::istringstream(line) >> head >> key;
  std::uint64_t read_key = 0;
  if (head != kHead || std::from_chars(key.data(), key.data() + key.size(), read_key, 16).ec != std::errc()) return;
  key_ = read_key;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::int64_t until = 0;
    unsigned digest = 0;
    std::string user, url;
    if (!(words >> until >> std::hex >> digest >> user >> url)) continue;  // cut short or not ours
    Entry& entry = entries_[{decoded(url), decoded(user)}];
    entry.until = until;
    entry.digest = static_cast<std::uint16_t>(digest);
    entry.why = "the credentials were refused before this start";
  }
}

void Accounts::save() {
  if (file_.empty()) return;
  std::string text = fmt::format("{} {:016x}\n", kHead, key_);
  for (const auto& [account, entry] : entries_) {
    if (entry.until == 0) continue;
    text +=
        fmt::format("{} {:04x} {} {}\n", entry.until, entry.digest, encoded(account.username), encoded(account.url));
  }
  if (!replace_file(file_, text)) say_failure("written");
}

void Accounts::say_failure(const char* what) {
  if (std::exchange(failure_said_, true)) return;
  spdlog::warn("{} cannot be {}: {}; which passwords were refused is forgotten when the daemon ends", file_, what,
               std::generic_category().message(errno));
}

}  // namespace sessionlogd
