#include "core/api/accounts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/support/read_text.h"

namespace sessionlogd {
namespace {

class AccountsKept : public testing::Test {
 protected:
  AccountsKept() {
    std::string name = (std::filesystem::temp_directory_path() / "accounts_test.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    directory_ = name;
  }
  ~AccountsKept() override { std::filesystem::remove_all(directory_); }
  std::string file() const { return (directory_ / "accounts").string(); }
  std::string text() const { return test::read_text(file()); }

  const Instant now_{1'800'000'000, 0};
  const Account account_{"https://10.0.0.5:11005", "col lector\n"};
  std::filesystem::path directory_;
};

TEST_F(AccountsKept, ParkARefusedPasswordForAllWhoUseIt) {
  Accounts accounts("");
  EXPECT_FALSE(accounts.parks(account_, "wrong", now_));
  accounts.refused(account_, 1, "wrong", now_, "HTTP 401");
  ASSERT_TRUE(accounts.parks(account_, "wrong", now_));
  EXPECT_EQ(accounts.parks(account_, "wrong", now_)->seconds, 900);
  EXPECT_EQ(accounts.parks(account_, "wrong", now_)->why, "HTTP 401");
  EXPECT_FALSE(accounts.parks(account_, "right", now_)) << "a neighbour with another password is not parked";
  EXPECT_FALSE(accounts.parks({account_.url, "other"}, "wrong", now_));
  EXPECT_FALSE(accounts.parks({"https://other", account_.username}, "wrong", now_));
  EXPECT_FALSE(accounts.parks(account_, "wrong", {now_.seconds + 900, 0}));
  EXPECT_EQ(accounts.parks(account_, "wrong", {now_.seconds - 9'000, 0})->seconds, 900) << "a clock was set back";
  accounts.granted(account_, "right");
  EXPECT_TRUE(accounts.parks(account_, "wrong", now_)) << "a neighbour's right password says nothing of this one";
  accounts.granted(account_, "wrong");
  EXPECT_FALSE(accounts.parks(account_, "wrong", now_));
}

TEST_F(AccountsKept, KnowARefusedPasswordAgainAfterARestart) {
  {
    Accounts accounts(file());
    EXPECT_FALSE(std::filesystem::exists(file())) << "nothing to keep, nothing is made";
    accounts.refused(account_, 1, "canary-password", now_, "HTTP 401");
  }
  struct stat info {};
  ASSERT_EQ(stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_EQ(text().find("canary"), std::string::npos);
  Accounts again(file());
  ASSERT_TRUE(again.parks(account_, "canary-password", now_));
  EXPECT_EQ(again.parks(account_, "canary-password", {now_.seconds + 600, 0})->seconds, 300);
  EXPECT_FALSE(again.parks(account_, "another", now_));
  again.granted(account_, "canary-password");
  EXPECT_FALSE(Accounts(file()).parks(account_, "canary-password", now_));
}

TEST_F(AccountsKept, KnowEachRefusedPasswordOfAnAccountAgainAfterARestart) {
  {
    Accounts accounts(file());
    for (const char* secret : {"old", "older", "right"}) accounts.refused(account_, 1, secret, now_, "HTTP 401");
    accounts.granted(account_, "right");
    accounts.logs_in(account_, 1, now_, 0);
  }
  for (int run = 0; run < 2; ++run) {
    Accounts again(file());
    EXPECT_TRUE(again.parks(account_, "old", now_));
    EXPECT_TRUE(again.parks(account_, "older", now_));
    EXPECT_FALSE(again.parks(account_, "right", now_));
    EXPECT_TRUE(again.last_login(account_, now_));
    again.logs_in(account_, 1, now_, 0);
    again.refused(account_, 2, "new", {now_.seconds + 1, 0}, "HTTP 401");
  }
}

TEST_F(AccountsKept, ForgetRefusedPasswordsWhoseTimeIsOver) {
  Accounts accounts(file());
  for (int i = 0; i < 3'000; ++i)
    accounts.refused(account_, 1, std::to_string(i), {now_.seconds + i * 900, 0}, "HTTP 401");
  EXPECT_LT(text().size(), 150'000u);
}

TEST_F(AccountsKept, AreForgottenWhereTheFileIsNoneOfOurs) {
  for (const char* damaged :
       {"", "x", "sessionlogd-accounts-1 zz\n1 2 3", "sessionlogd-accounts-1 1\n18000000000 zz u"}) {
    std::ofstream(file()) << damaged;
    EXPECT_FALSE(Accounts(file()).parks(account_, "wrong", now_)) << damaged;
  }
}

TEST_F(AccountsKept, KnowTheLastLoginOfARunThatDidNotLogOut) {
  {
    Accounts accounts(file());
    accounts.logs_in(account_, 1, now_, 0);
    accounts.logs_in({account_.url, "other"}, 2, now_, 0);
    accounts.logged_out({account_.url, "other"}, 2);
    accounts.logs_in(account_, 1, {now_.seconds + 100, 0}, 4);
    EXPECT_FALSE(accounts.last_login(account_, now_)) << "of this run the source knows it by itself";
  }
  const Accounts again(file());
  ASSERT_TRUE(again.last_login(account_, {now_.seconds + 110, 0}));
  EXPECT_EQ(again.last_login(account_, {now_.seconds + 110, 0})->seconds_ago, 10);
  EXPECT_EQ(again.last_login(account_, {now_.seconds + 110, 0})->early_deaths, 4u);
  EXPECT_EQ(again.last_login(account_, now_)->seconds_ago, 0) << "a clock was set back";
  EXPECT_FALSE(again.last_login({account_.url, "other"}, now_));
  EXPECT_FALSE(again.parks(account_, "any", now_));
  Accounts(file()).refused(account_, 1, "wrong", now_, "HTTP 401");
  EXPECT_FALSE(Accounts(file()).last_login(account_, now_)) << "another password need not wait";
}

TEST_F(AccountsKept, KnowTheLastLoginUntilTheLastWhoHoldsATokenLoggedOut) {
  Accounts accounts(file());
  const Accounts::Holder a = accounts.new_holder(), b = accounts.new_holder();
  const auto is_known = [&] { return Accounts(file()).last_login(account_, now_).has_value(); };
  accounts.logs_in(account_, a, now_, 0);
  accounts.logs_in(account_, b, now_, 0);
  accounts.logs_in(account_, b, now_, 1);  // its token died: this is still one
  accounts.logged_out(account_, b);
  EXPECT_TRUE(is_known());
  accounts.logs_in(account_, b, now_, 0);
  accounts.refused(account_, b, "wrong", now_, "HTTP 401");
  EXPECT_TRUE(is_known()) << "the other's token is there";
  accounts.logged_out(account_, a);
  EXPECT_FALSE(is_known());
}

TEST_F(AccountsKept, AreReadWhereTheLastLineWasCutShortAndFromAVersionBefore) {
  const std::string head = "sessionlogd-accounts-1 00000000000000a1\n";
  std::ofstream(file()) << head << "1800000900 0001 old https%3A%2F%2Fa\n0 0000 cut https%3A%2F%2Fa 18000";
  {
    Accounts accounts(file());
    EXPECT_FALSE(accounts.last_login({"https://a", "old"}, now_));
    accounts.logs_in({"https://a", "new"}, 1, now_, 0);
  }
  EXPECT_TRUE(Accounts(file()).last_login({"https://a", "new"}, now_));
  EXPECT_NE(text().find("1800000900 0001 old"), std::string::npos) << "it is kept";
}

// Each login is a line more; the file does not grow by that for ever.
TEST_F(AccountsKept, TakeTheRoomOfTheirAccountsAndNotOfTheirLogins) {
  Accounts accounts(file());
  for (int i = 0; i < 5'000; ++i) accounts.logs_in(account_, 1, {now_.seconds + i, 0}, 0);
  EXPECT_LT(text().size(), 150'000u);
  EXPECT_EQ(Accounts(file()).last_login(account_, {now_.seconds + 5'000, 0})->seconds_ago, 1);
}

TEST_F(AccountsKept, LetOneLogInUntilAPasswordIsKnownToBeRight) {
  Accounts accounts("");
  {
    const auto first = accounts.take_turn(account_, "right");
    EXPECT_TRUE(first);
    EXPECT_FALSE(accounts.take_turn(account_, "right"));
    EXPECT_TRUE(accounts.take_turn({account_.url, "other"}, "right"));
  }
  const auto second = accounts.take_turn(account_, "right");
  EXPECT_TRUE(second) << "the first has ended without a word";
  accounts.granted(account_, "right");
  const auto of_right = accounts.take_turn(account_, "right");
  EXPECT_TRUE(of_right) << "all of them have a token of their own";
  EXPECT_FALSE(accounts.take_turn(account_, "unknown")) << "of this one nobody knows";
  accounts.refused(account_, 1, "unknown", now_, "HTTP 401");
  EXPECT_TRUE(accounts.take_turn(account_, "right")) << "another was refused";
  accounts.refused(account_, 1, "right", now_, "HTTP 401");
  EXPECT_FALSE(accounts.take_turn(account_, "right"));
}

}  // namespace
}  // namespace sessionlogd
