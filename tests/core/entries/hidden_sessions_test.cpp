#include "core/entries/hidden_sessions.h"

#include <gtest/gtest.h>

namespace sessionlogd {
namespace {

constexpr std::int64_t kFrom = 1'800'000'000, kAsked = kFrom + 86'400;

using Strings = std::vector<std::string>;

void deliver(HiddenSessions& hidden, std::string_view id, std::uint64_t key, std::int64_t log_time,
             std::int64_t read_at) {
  hidden.delivered({.source_id = "a",
                    .session_id = id,
                    .session_key = key,
                    .entry_key = 0,
                    .hash = 0,
                    .log_time = Instant{log_time, 0},
                    .read_at = Instant{read_at, 0}});
}

TEST(HiddenSessions, AreThoseWhichAListingFromBeforeTheyBeganDoesNotShow) {
  const struct {
    const char* what;
    std::int64_t log_time, read_at;
    std::optional<std::int64_t> oldest_stop;
    Strings found;
  } table[] = {
      {"all are hidden", kFrom + 10, kFrom + 20, std::nullopt, {"s1"}},
      {"older ones are shown", kFrom + 10, kFrom + 20, kFrom + 10, {"s1"}},
      {"it may have been forgotten for its age", kFrom + 10, kFrom + 20, kFrom + 11, {}},
      {"the listing begins behind it", kFrom - 1, kFrom + 20, std::nullopt, {}},
      {"it was read when the listing had been asked for", kFrom + 10, kAsked, std::nullopt, {}},
  };
  for (const auto& row : table) {
    HiddenSessions hidden;
    HiddenSessions::Listing listing{.from = {kFrom, 0}, .asked = {kAsked, 0}};
    if (row.oldest_stop) listing.oldest_stop = Instant{*row.oldest_stop, 0};
    hidden.expect(std::move(listing));
    deliver(hidden, "s1", 1, row.log_time, row.read_at);
    EXPECT_EQ(hidden.sessions(), row.found) << row.what;
    hidden.forget_delivered();
    EXPECT_EQ(hidden.sessions(), Strings{});
  }
}

TEST(HiddenSessions, BeganWithTheirFirstEntryInWhateverOrder) {
  HiddenSessions hidden;
  hidden.expect({.from = {kFrom, 0}, .asked = {kAsked, 0}});
  deliver(hidden, "began before", 1, kFrom + 10, kFrom + 20);
  deliver(hidden, "began before", 1, kFrom - 10, kFrom + 20);
  deliver(hidden, "began before", 1, kFrom + 30, kFrom + 40);
  deliver(hidden, "was read before", 2, kFrom + 10, kAsked + 1);
  deliver(hidden, "was read before", 2, kFrom + 20, kAsked - 1);
  EXPECT_EQ(hidden.sessions(), Strings{"was read before"});
}

TEST(HiddenSessions, AreNoneOfThoseThatAreShownWhateverTheyWereCalled) {
  HiddenSessions hidden;
  deliver(hidden, "s1", 1, kFrom + 10, kFrom + 20);
  EXPECT_EQ(hidden.sessions(), Strings{}) << "there is no listing";
  hidden.expect({.from = {kFrom, 0}, .asked = {kAsked, 0}, .ids = {"s1"}});
  deliver(hidden, "s1", 1, kFrom + 10, kFrom + 20);
  deliver(hidden, "s1", 2, kFrom + 10, kFrom + 20);  // its id was given to another session
  EXPECT_EQ(hidden.sessions(), Strings{});
}

}  // namespace
}  // namespace sessionlogd
