#include "core/api/accounts.h"

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

#include "core/http/http_headers.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kHead = "sessionlogd-accounts-1";
constexpr std::size_t kMostAppended = 1'000;  // lines, and twice as many as there are accounts

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

std::string line_of(const Account& account, std::int64_t until, std::uint16_t digest, std::int64_t login,
                    unsigned early_deaths) {
  return fmt::format("{} {:04x} {} {} {} {}\n", until, digest, encoded(account.username), encoded(account.url), login,
                     early_deaths);
}

bool append_to_file(const std::string& path, const std::string& line) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  return ::close(fd) == 0 && written;
}

}  // namespace

Accounts::Turn::~Turn() {
  if (accounts_ == nullptr) return;
  const std::lock_guard lock(accounts_->mutex_);
  --accounts_->entries_[of_].turns;
}

Accounts::Accounts(std::string file) : file_(std::move(file)) {
  std::random_device entropy;
  key_ = std::uint64_t{entropy()} << 32 | entropy();
  if (!file_.empty()) load();
}

std::optional<Accounts::Turn> Accounts::take_turn(const Account& account, const std::string& secret) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[account];
  if (entry.good != digest_of(secret) && entry.turns > 0) return std::nullopt;
  ++entry.turns;
  return Turn(*this, account);
}

Accounts::Holder Accounts::new_holder() {
  const std::lock_guard lock(mutex_);
  return ++last_holder_;
}

void Accounts::granted(const Account& account, const std::string& secret) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[account];
  const Digest digest = digest_of(secret);
  entry.good = digest;
  if (entry.parked.erase(digest) != 0) keep(account, entry, digest);
}

void Accounts::refused(const Account& account, Holder holder, const std::string& secret, Instant now,
                       const std::string& why) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[account];
  const Digest digest = digest_of(secret);
  if (entry.good == digest) entry.good.reset();
  std::erase_if(entry.parked, [&](const auto& one) { return one.second.until <= now.seconds; });
  entry.parked[digest] = {now.seconds + kParkedSeconds, why};
  std::erase(entry.holders, holder);
  if (entry.holders.empty()) entry.login = 0;  // it brought no token, and this secret waits long enough
  keep(account, entry, digest);
}

void Accounts::logs_in(const Account& account, Holder holder, Instant now, unsigned early_deaths) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[account];
  if (std::ranges::find(entry.holders, holder) == entry.holders.end()) entry.holders.push_back(holder);
  entry.login = now.seconds;
  entry.early_deaths = early_deaths;
  keep_login(account, entry);
}

void Accounts::logged_out(const Account& account, Holder holder) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[account];
  std::erase(entry.holders, holder);
  if (entry.holders.empty() && std::exchange(entry.login, 0) != 0) keep_login(account, entry);
}

std::optional<Accounts::LastLogin> Accounts::last_login(const Account& account, Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(account);
  if (found == entries_.end() || found->second.login_before == 0) return std::nullopt;
  // A clock that was set back since makes it no later than now.
  const std::int64_t ago = std::max<std::int64_t>(now.seconds - found->second.login_before, 0);
  return LastLogin{ago, found->second.early_deaths_before};
}

Accounts::Ticket Accounts::leave(const Whose& whose, LeftLogin left) {
  const std::lock_guard lock(mutex_);
  left_.insert_or_assign(whose, std::pair(++last_ticket_, std::move(left)));
  return last_ticket_;
}

std::optional<Accounts::LeftLogin> Accounts::take_left(const Whose& whose) {
  const std::lock_guard lock(mutex_);
  auto found = left_.extract(whose);
  return found.empty() ? std::nullopt : std::optional(std::move(found.mapped().second));
}

bool Accounts::has_left(const Whose& whose, Ticket ticket) const {
  const std::lock_guard lock(mutex_);
  return holds(whose, ticket);
}

bool Accounts::take_back(const Whose& whose, Ticket ticket) {
  const std::lock_guard lock(mutex_);
  return holds(whose, ticket) && left_.erase(whose) != 0;
}

bool Accounts::holds(const Whose& whose, Ticket ticket) const {
  const auto found = left_.find(whose);
  return found != left_.end() && found->second.first == ticket;
}

std::optional<Accounts::Parked> Accounts::parks(const Account& account, const std::string& secret, Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(account);
  if (found == entries_.end()) return std::nullopt;
  const auto refused = found->second.parked.find(digest_of(secret));
  if (refused == found->second.parked.end() || now.seconds >= refused->second.until) return std::nullopt;
  // A clock that was set back since makes it no longer.
  return Parked{std::min(refused->second.until - now.seconds, kParkedSeconds), refused->second.why};
}

Accounts::Digest Accounts::digest_of(const std::string& secret) const {
  return static_cast<Digest>(XXH3_64bits_withSeed(secret.data(), secret.size(), key_));
}

// head key ⏎, and for each account and refused secret: until digest user url login early_deaths ⏎, user and url
// percent-encoded; until 0: it is not refused. Of a secret the last line counts, of a login that of the account. A
// version before wrote none behind the url, and reads none.
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
  can_append_ = !in.eof();
  while (std::getline(in, line)) {
    ++appended_;
    can_append_ = !in.eof();  // that line has an end
    std::istringstream words(line);
    std::int64_t until = 0;
    unsigned digest = 0;
    std::string user, url;
    if (!(words >> until >> std::hex >> digest >> user >> url)) continue;  // cut short or not ours
    Entry& entry = entries_[{decoded(url), decoded(user)}];
    if (until != 0) {
      entry.parked[static_cast<Digest>(digest)] = {until, "the credentials were refused before this start"};
    } else {
      entry.parked.erase(static_cast<Digest>(digest));
    }
    if (!(words >> std::dec >> entry.login >> entry.early_deaths)) entry.login = entry.early_deaths = 0;
    entry.login_before = entry.login;
    entry.early_deaths_before = entry.early_deaths;
  }
}

// A fleet that logs in at once must not write the whole file for each of its accounts.
void Accounts::keep(const Account& account, const Entry& entry, Digest digest) {
  if (file_.empty()) return;
  if (!can_append_ || appended_ >= 2 * entries_.size() + kMostAppended) return save();
  ++appended_;
  const auto refused = entry.parked.find(digest);
  const std::int64_t until = refused == entry.parked.end() ? 0 : refused->second.until;
  if (!append_to_file(file_, line_of(account, until, digest, entry.login, entry.early_deaths))) save();
}

void Accounts::keep_login(const Account& account, const Entry& entry) {
  keep(account, entry, entry.parked.empty() ? Digest{0} : entry.parked.begin()->first);
}

void Accounts::save() {
  std::string text = fmt::format("{} {:016x}\n", kHead, key_);
  for (const auto& [account, entry] : entries_) {
    for (const auto& [digest, refused] : entry.parked)
      text += line_of(account, refused.until, digest, entry.login, entry.early_deaths);
    if (entry.parked.empty() && entry.login != 0) text += line_of(account, 0, 0, entry.login, entry.early_deaths);
  }
  can_append_ = replace_file(file_, text);
  appended_ = entries_.size();
  if (!can_append_) say_failure("written");
}

void Accounts::say_failure(const char* what) {
  if (std::exchange(failure_said_, true)) return;
  spdlog::warn(
      "{} cannot be {}: {}; which passwords were refused, and when it logged in, is forgotten when the daemon ends",
      file_, what, std::generic_category().message(errno));
}

}  // namespace sessionlogd
