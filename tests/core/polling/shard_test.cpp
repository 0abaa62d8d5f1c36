#include "core/polling/shard.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>

#include "core/entries/event.h"
#include "core/http/curl_client.h"
#include "tests/core/api/api_client_fixture.h"
#include "tests/core/captured_log.h"
#include "tests/support/built_in.h"
#include "tests/support/test_server.h"

namespace sessionlogd {
namespace {

using namespace std::chrono_literals;
using test::TemporaryFile;

class NoEncoder : public Encoder {
 public:
  void append(const Event&, LineBuffer&) override {}
};

class ShardWithSources : public testing::Test {
 protected:
  ~ShardWithSources() override { shard_.join(); }

  NewSource source(const std::string& name, const std::string& token_file) const {
    auto settings = std::make_shared<SourceSettings>();
    settings->name = settings->id = name;
    settings->dialect = test::built_in_dialect("veeam-aws");
    settings->api_version = settings->dialect->version.fallback;
    settings->url = "http://127.0.0.1:1";
    settings->token = Secret::parse("file:" + token_file);
    NewSource made{.queue = queue_,
                   .settings = std::move(settings),
                   .counters = std::make_shared<SourceCounters>(),
                   .restored = {}};
    for (std::uint64_t key = 1; key <= 3; ++key) made.restored.sessions[key].key = key;
    made.try_again = 1ms;
    return made;
  }

  Shard make_shard(PollMode mode, Accounts* accounts = nullptr) {
    return Shard(
        memory_, [this](auto& io) { return std::make_unique<CurlClient>(io, memory_); }, nullptr, fingerprint_bytes_,
        [](const SourceSettings&) { return std::make_unique<NoEncoder>(); }, mode, 1, accounts);
  }

  template <class F>
  auto on_shard(F what) {
    std::promise<decltype(what())> done;
    shard_.post([&] { done.set_value(what()); });
    return done.get_future().get();
  }
  // On an appliance that shows no sessions, with a password.
  NewSource source(const std::string& name, const TestServer& server, std::shared_ptr<BatchQueue> queue) const {
    NewSource made = source(name, token_.path());
    auto settings = std::make_shared<SourceSettings>(*made.settings);
    settings->url = server.url();
    settings->token.reset();
    settings->username = "collector";
    settings->password = Secret::parse("file:" + token_.path());
    made.settings = std::move(settings);
    made.queue = std::move(queue);
    return made;
  }

  // On the shard: how many sessions were given back, nullopt: it was not here.
  void remove(const std::string& id, std::uint64_t life, std::promise<std::optional<std::size_t>>& done) {
    shard_.sources().remove(id, life, ShardSources::Leaves::kForGood,
                            [&done](const std::optional<RestoredSource>& known) {
                              done.set_value(known ? std::optional(known->sessions.size()) : std::nullopt);
                            });
  }
  std::optional<std::size_t> removed(const std::string& id, std::uint64_t life) {
    std::promise<std::optional<std::size_t>> done;
    shard_.post([&] { remove(id, life, done); });
    return done.get_future().get();
  }
  SourceView view(const std::string& name) {
    for (const SourceView& source : on_shard([&] { return shard_.sources().view(); }).sources) {
      if (source.identity->name == name) return source;
    }
    return {};
  }

  CapturedLog log_;
  TemporaryFile token_{"a-token"};
  const std::shared_ptr<QueueMemory> queue_memory_ = std::make_shared<QueueMemory>(1u << 20);
  const std::shared_ptr<BatchQueue> queue_ = std::make_shared<BatchQueue>(queue_memory_);  // of life 1
  MemoryShares memory_{MemoryShares::of(64u << 20, 1, 1u << 20, 8u << 20)};
  std::atomic<std::size_t> fingerprint_bytes_ = 0;
  Shard shard_ = make_shard(PollMode::kForever);
};

TEST_F(ShardWithSources, ParksOneWhoseFilesCannotBeUsedAndShowsIt) {
  EXPECT_EQ(shard_.sources().add(source("good", token_.path())), "");
  const std::string why = shard_.sources().add(source("bad", "/nowhere/token"));
  EXPECT_NE(why.find("file:/nowhere/token cannot be read"), std::string::npos) << why;
  EXPECT_EQ(log_.count("source=bad cannot be polled: file:/nowhere/token"), 1);
  shard_.start([] {});
  const SourceView bad = view("bad");
  EXPECT_EQ(bad.condition, SourceCondition::kParked);
  EXPECT_EQ(bad.error, why);
  EXPECT_NE(view("good").condition, SourceCondition::kParked);
  EXPECT_EQ(on_shard([&] { return shard_.sources().find("bad", 1); }), nullptr);
}

TEST_F(ShardWithSources, PollsItOnceTheFileCanBeUsed) {
  const std::string path = token_.path() + ".later";
  shard_.sources().add(source("late", path));
  shard_.start([] {});
  EXPECT_EQ(view("late").condition, SourceCondition::kParked);
  std::ofstream(path) << "a-token";
  while (view("late").condition == SourceCondition::kParked) {
  }
  EXPECT_EQ(log_.count("source=late can be polled now"), 1);
  std::filesystem::remove(path);
}

TEST_F(ShardWithSources, GivesBackTheStateOfOneThatWasNeverPolled) {
  shard_.sources().add(source("bad", "/nowhere/token"));
  shard_.start([] {});
  EXPECT_EQ(removed("bad", 1), 3u);
}

// Whoever waits for the answer would wait for ever.
TEST_F(ShardWithSources, AnswersWhateverIsToBeRemoved) {
  shard_.sources().add(source("a", token_.path()));
  shard_.start([] {});
  EXPECT_EQ(removed("a", 2), std::nullopt) << "of another life";
  EXPECT_EQ(removed("b", 1), std::nullopt);
  std::promise<std::optional<std::size_t>> first;
  shard_.post([&] { remove("a", 1, first); });
  EXPECT_EQ(removed("a", 1), std::nullopt) << "it is going";
  EXPECT_EQ(first.get_future().get(), 3u);
  EXPECT_EQ(removed("a", 1), std::nullopt) << "it is gone";
}

TEST_F(ShardWithSources, GivesBackTheStateOfOneThatHadEnded) {
  shard_.sources().add(source("a", token_.path()));
  std::promise<void> ended;
  shard_.start([&] { ended.set_value(); });
  shard_.stop();
  ended.get_future().get();
  EXPECT_EQ(removed("a", 1), 3u);
  EXPECT_EQ(on_shard([&] { return shard_.sources().add(source("b", token_.path())); }), "");
  EXPECT_EQ(removed("b", 1), std::nullopt) << "none begins where all end";
}

TEST_F(ShardWithSources, KnowsASourceByItsLife) {
  shard_.sources().add(source("a", token_.path()));
  NewSource next = source("a", token_.path());
  next.queue = std::make_shared<BatchQueue>(queue_memory_);
  shard_.sources().add(next);
  shard_.start([] {});
  const auto* first = on_shard([&] { return shard_.sources().find("a", 1); });
  const auto* second = on_shard([&] { return shard_.sources().find("a", 2); });
  EXPECT_NE(first, nullptr);
  EXPECT_NE(first, second);
  EXPECT_EQ(removed("a", 1), 3u);
  EXPECT_EQ(on_shard([&] { return shard_.sources().find("a", 2); }), second);
  EXPECT_EQ(on_shard([&] { return shard_.sources().view().sources.front().life; }), 2u);
}

// As the sources of a partition that goes round between the members of a group.
TEST_F(ShardWithSources, OneThatMayBeBackIsGoneAtOnceAndItsTokenIsHandedBackWhenItCouldLogInAgain) {
  Desk desk;
  desk.serve = [](const std::string&) { return response(R"({"results":[],"totalCount":0})"); };
  const TestServer server{[&desk](const Request& request) { return desk(request); }};
  Accounts accounts("");
  Shard shard = make_shard(PollMode::kForever, &accounts);
  std::promise<void> ended;
  shard.start([&] { ended.set_value(); });
  std::weak_ptr<BatchQueue> life_before;
  for (int stay = 1; stay <= 10; ++stay) {
    const auto queue = std::make_shared<BatchQueue>(queue_memory_);
    std::promise<std::optional<std::size_t>> gone;
    std::promise<std::size_t> left;
    shard.post([&] { shard.sources().add(source("a", server, queue)); });
    for (const int before = desk.gets; desk.gets == before;) std::this_thread::sleep_for(1ms);
    shard.post([&] {
      shard.sources().remove("a", queue->life(), ShardSources::Leaves::kAndMayBeBack,
                             [&](const std::optional<RestoredSource>& known) {
                               gone.set_value(known ? std::optional(known->sessions.size()) : std::nullopt);
                             });
    });
    EXPECT_EQ(gone.get_future().get(), 3u);
    EXPECT_EQ(life_before.lock(), nullptr) << "nothing of its lane stays";
    life_before = queue;
    shard.post([&] {
      left.set_value(shard.sources().view().sources.size());
      EXPECT_EQ(shard.sources().find("a", queue->life()), nullptr);
    });
    EXPECT_EQ(left.get_future().get(), 0u);
  }
  EXPECT_EQ(desk.logins, 1);
  shard.stop();
  ended.get_future().get();
  shard.join();
  EXPECT_THAT(desk.returned, testing::ElementsAre("access-1"));
}

// As the daemon gives it its sources: they are on their way when it starts.
TEST_F(ShardWithSources, OnePassWaitsForTheSourcesBehindOneThatIsLeftOut) {
  Shard shard = make_shard(PollMode::kOnePass);
  std::promise<std::size_t> ended;
  shard.post([&] { shard.sources().add(source("bad", "/nowhere/token")); });
  shard.post([&] { shard.sources().add(source("good", token_.path())); });
  shard.start([&] { ended.set_value(shard.sources().view().sources.size()); });
  EXPECT_EQ(ended.get_future().get(), 2u);
  shard.join();
}

TEST_F(ShardWithSources, EndsWithOneThatWasNeverPolled) {
  std::promise<void> ended;
  shard_.sources().add(source("bad", "/nowhere/token"));
  shard_.start([&] { ended.set_value(); });
  shard_.stop();
  ended.get_future().get();
}

}  // namespace
}  // namespace sessionlogd
