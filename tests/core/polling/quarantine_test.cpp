#include "core/polling/quarantine.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <thread>
#include <vector>

#include "tests/core/captured_log.h"
#include "tests/support/read_text.h"

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;

class QuarantineTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "quarantine_test.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    top_ = name;
    directory_ = top_ / "quarantine";
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(top_, ignored);
  }

  std::vector<fs::path> kept() const {
    std::error_code none;
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(directory_, none)) files.push_back(file.path());
    return files;
  }
  static unsigned mode_of(const fs::path& path) {
    struct stat info {};
    return stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
  }

  const Quarantine::Origin origin_{"aws-eu", "s-1", "its log"};
  fs::path top_, directory_;
};

TEST_F(QuarantineTest, KeepsABodyForItsOwnerOnly) {
  Quarantine quarantine(directory_.string());
  EXPECT_FALSE(fs::exists(directory_)) << "nothing to keep, nothing is made";
  quarantine.keep(origin_, "<html>");
  ASSERT_EQ(kept().size(), 1u);
  EXPECT_TRUE(std::regex_match(kept()[0].filename().string(), std::regex("aws-eu-[0-9a-f]{16}\\.body")));
  EXPECT_EQ(test::read_text(kept()[0]), "<html>");
  EXPECT_EQ(mode_of(directory_), 0700u);
  EXPECT_EQ(mode_of(kept()[0]), 0600u);
  EXPECT_EQ(quarantine.bytes(), 6u);
}

TEST_F(QuarantineTest, KeepsEqualBodiesOnceAlsoAfterANewStart) {
  for (int start = 0; start < 2; ++start) {
    Quarantine quarantine(directory_.string());
    for (int i = 0; i < 3; ++i) quarantine.keep(origin_, "<html>");
    EXPECT_EQ(kept().size(), 1u);
    EXPECT_EQ(quarantine.bytes(), 6u);
  }
}

TEST_F(QuarantineTest, KeepsTheBeginningOfALargeBody) {
  Quarantine quarantine(directory_.string());
  quarantine.keep(origin_, std::string(Quarantine::kMostOfOneBody, 'a') + "b");
  quarantine.keep(origin_, std::string(Quarantine::kMostOfOneBody, 'a') + "c");
  ASSERT_EQ(kept().size(), 1u);
  EXPECT_EQ(test::read_text(kept()[0]), std::string(Quarantine::kMostOfOneBody, 'a'));
}

TEST_F(QuarantineTest, NeverHoldsMoreThanItsLimit) {
  {
    Quarantine quarantine(directory_.string(), 10);
    for (const char* body : {"12345", "1234567", "67890", "x"}) quarantine.keep(origin_, body);
    EXPECT_EQ(kept().size(), 2u);
    EXPECT_EQ(quarantine.bytes(), 10u);
  }
  Quarantine again(directory_.string(), 10);
  again.keep(origin_, "y");
  EXPECT_EQ(kept().size(), 2u) << "what is there at the start counts";
}

// A page with a number of its request in it.
TEST_F(QuarantineTest, KeepsFewOfASourceAnHourAndSaysSoOnce) {
  CapturedLog log;
  Quarantine quarantine(directory_.string());
  for (int i = 0; i < 100; ++i) quarantine.keep(origin_, "<html>" + std::to_string(i));
  EXPECT_EQ(kept().size(), Quarantine::kMostOfASource);
  EXPECT_EQ(log.count("source=aws-eu"), static_cast<int>(Quarantine::kMostOfASource) + 1);
  EXPECT_EQ(log.count("more of them are only counted"), 1);
  quarantine.keep({"azure", "", "a listing"}, "<html>");
  EXPECT_EQ(kept().size(), Quarantine::kMostOfASource + 1) << "another source has its own share";
}

TEST_F(QuarantineTest, HoldsAtMostSoManyFiles) {
  CapturedLog log;
  fs::create_directory(directory_);
  for (std::size_t i = 1; i < Quarantine::kMostFiles; ++i) std::ofstream(directory_ / std::to_string(i)) << "x";
  Quarantine quarantine(directory_.string());
  quarantine.keep(origin_, "<html>1");
  quarantine.keep(origin_, "<html>2");
  EXPECT_EQ(kept().size(), Quarantine::kMostFiles);
  EXPECT_EQ(log.count("is full"), 1);
}

TEST_F(QuarantineTest, AsksForSecretsInWhatItWouldKeepOnly) {
  Quarantine quarantine(directory_.string());
  std::size_t looked_at = 0;
  const std::string large(60u << 20, 'x');
  quarantine.keep(origin_, large, [&](std::string_view text) {
    looked_at += text.size();
    return true;
  });
  EXPECT_TRUE(kept().empty());
  EXPECT_GE(looked_at, Quarantine::kMostOfOneBody);
  EXPECT_LE(looked_at, Quarantine::kMostOfOneBody + 4096);
}

TEST_F(QuarantineTest, HoldsItsLimitWhenManyShardsKeep) {
  Quarantine quarantine(directory_.string(), 50);
  std::vector<std::thread> shards;
  for (int shard = 0; shard < 4; ++shard) {
    shards.emplace_back([&, shard] {
      for (int i = 0; i < 50; ++i) {
        const std::string source = "source-" + std::to_string(i);
        quarantine.keep({source, "", "its log"}, std::to_string(1'000 + shard * 50 + i));
      }
    });
  }
  for (std::thread& shard : shards) shard.join();
  std::size_t bytes = 0;
  for (const fs::path& file : kept()) bytes += fs::file_size(file);
  EXPECT_LE(bytes, 50u);
  EXPECT_GT(bytes, 0u);
  EXPECT_EQ(bytes, quarantine.bytes());
}

TEST_F(QuarantineTest, FollowsNoLinks) {
  fs::create_directory(top_ / "elsewhere");
  fs::create_directory_symlink(top_ / "elsewhere", directory_);
  Quarantine quarantine(directory_.string());
  quarantine.keep(origin_, "<html>");
  EXPECT_TRUE(fs::is_empty(top_ / "elsewhere"));
}

TEST_F(QuarantineTest, IsNoMoreThanAMissWhenItCannotWrite) {
  std::ofstream(directory_) << "a file where the directory should be";
  Quarantine quarantine(directory_.string());
  quarantine.keep(origin_, "<html>");
  EXPECT_EQ(quarantine.bytes(), 0u);
  fs::remove(directory_);
  quarantine.keep(origin_, "<html>");
  EXPECT_EQ(kept().size(), 1u) << "it is tried again";
}

TEST_F(QuarantineTest, KeepsNothingOfAnEmptyBody) {
  Quarantine quarantine(directory_.string());
  quarantine.keep(origin_, "");
  EXPECT_FALSE(fs::exists(directory_));
}

}  // namespace
}  // namespace sessionlogd
