// A response to a listing of any bytes: every session that is read from it can be asked for, and counts add up.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/polling/session_list.h"
#include "tests/support/built_in.h"

namespace {

using namespace sessionlogd;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const Dialect& dialect, const ListedSession& session) {
  require(!session.id.empty() && session.id.size() <= 512 && session.id != "." && session.id != "..");
  require(session.id.find('\0') == std::string::npos);
  (void)dialect.session_is_final(session.status);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::array kDialects{test::built_in_dialect("veeam-aws"), test::built_in_dialect("veeam-azure")};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& dialect : kDialects) {
    const auto page = parse_session_page(*dialect, text);
    if (page.has_value()) {
      require(page->rows.size() >= page->sessions.size());
      for (const ListedSession& session : page->sessions) check(*dialect, session);
    }
    const auto one = parse_session(*dialect, text);
    if (one.has_value()) check(*dialect, *one);
  }
  return 0;
}
