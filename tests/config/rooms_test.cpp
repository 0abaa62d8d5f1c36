// The rooms of the house: what each may include, and which files may use a library that only they should know. An arrow
// that goes up, or a library that leaks out, makes the next change expensive; a compiler does not see either.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

// From the bottom to the top: a room may include itself and those named for it, all of which stand above it here.
struct Room {
  std::string name;
  std::set<std::string> below;
};
const std::vector<Room> kRooms = {
    {"config", {}},
    {"core/base", {"config"}},
    {"core/async", {"core/base"}},
    {"core/state", {"config", "core/base"}},
    {"core/entries", {"config", "core/base", "core/state"}},
    {"core/http", {"core/base", "core/async"}},
    {"core/api", {"config", "core/base", "core/async", "core/http"}},
    {"core/polling", {"config", "core/base", "core/async", "core/state", "core/entries", "core/http", "core/api"}},
    {"sinks/formats", {"config", "core/base", "core/state", "core/entries"}},
    {"sinks/file", {"config", "core/base", "core/state", "sinks/formats"}},
    {"sinks/kafka", {"config", "core/base", "core/state", "sinks/formats"}},
    {"sinks", {"config", "core/base", "core/state", "core/entries", "sinks/formats", "sinks/file", "sinks/kafka"}},
    {"daemon/page", {}},
    {"daemon/service", {"config", "core/base", "core/state", "core/polling"}},
    {"daemon/admin",
     {"config", "core/base", "core/async", "core/state", "core/polling", "daemon/page", "daemon/service"}},
    {"daemon/control", {"config", "core/base", "core/async", "core/state", "core/polling", "daemon/service"}},
    // What puts everything together: daemon and daemon/commands may include all.
};

// Libraries behind their doors.
const std::map<std::string, std::set<std::string>> kDoors = {
    {"curl/", {"core/http"}},
    {"sqlite3", {"sinks/file"}},
    {"librdkafka/", {"sinks/kafka"}},
    {"systemd/", {"daemon/service"}},
    {"openssl/", {"config", "core/http"}},
    {"toml++/", {"config"}},
    // Never in a header: it is the largest of all.
    {"simdjson", {"core/base", "core/api", "sinks/formats", "sinks/kafka", "daemon/commands"}},
};

using Include = std::pair<std::string, bool>;  // what is included, and whether it is ours

std::vector<Include> includes_of(const fs::path& file) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*([<"])([^>"]+)[>"])re");
  std::vector<Include> includes;
  std::ifstream text(file);
  for (std::string line; std::getline(text, line);) {
    std::smatch found;
    if (std::regex_search(line, found, kInclude)) includes.emplace_back(found[2], found[1] == "\"");
  }
  return includes;
}

std::string room_of(const fs::path& file) { return file.parent_path().generic_string(); }

// One line for each include of `file` that goes against the order.
std::vector<std::string> faults_of(const fs::path& file, const std::vector<Include>& includes) {
  std::vector<std::string> faults;
  const std::string room = room_of(file);
  const auto rule = std::find_if(kRooms.begin(), kRooms.end(), [&](const Room& each) { return each.name == room; });
  const bool may_all = room == "daemon" || room == "daemon/commands";
  if (rule == kRooms.end() && !may_all) faults.push_back(file.string() + " stands in no room");
  for (const auto& [included, is_ours] : includes) {
    const std::string to = room_of(included);
    const bool is_a_room = std::any_of(kRooms.begin(), kRooms.end(), [&](const Room& r) { return r.name == to; });
    if (is_ours && !may_all && to != room && (!is_a_room || !rule->below.contains(to)))
      faults.push_back(file.string() + " includes " + included + ": " + room + " may not know " + to);
    for (const auto& [library, rooms] : kDoors) {
      if (!included.starts_with(library)) continue;
      if (!rooms.contains(room)) faults.push_back(file.string() + " includes " + included + ": not its room");
      if (library == "simdjson" && file.extension() == ".h")
        faults.push_back(file.string() + " includes " + included + " in a header");
    }
  }
  return faults;
}

TEST(Rooms, AreOrderedAsTheTableSays) {
  std::set<std::string> above;
  for (const Room& room : kRooms) {
    for (const std::string& below : room.below) EXPECT_TRUE(above.contains(below)) << room.name << " <- " << below;
    above.insert(room.name);
  }
}

TEST(Rooms, KnowOnlyWhatStandsBelowThem) {
  const fs::path tree = SOURCE_TREE;
  std::size_t files = 0;
  std::vector<std::string> faults;
  for (const char* top : {"config", "core", "sinks", "daemon"}) {
    for (const auto& entry : fs::recursive_directory_iterator(tree / top)) {
      const auto extension = entry.path().extension();
      if (extension != ".h" && extension != ".cpp") continue;
      ++files;
      const auto found = faults_of(fs::relative(entry.path(), tree), includes_of(entry.path()));
      faults.insert(faults.end(), found.begin(), found.end());
    }
  }
  EXPECT_GT(files, 300u);
  EXPECT_THAT(faults, IsEmpty());
}

// The check itself: each wrong include is found.
TEST(Rooms, AWrongIncludeIsFound) {
  const auto faults = [](const char* file, const char* included, bool is_ours) {
    return faults_of(file, {{included, is_ours}}).size();
  };
  EXPECT_EQ(faults("core/base/clock.h", "core/async/task.h", true), 1u);
  EXPECT_EQ(faults("core/http/curl_client.cpp", "config/settings.h", true), 1u);
  EXPECT_EQ(faults("sinks/file/file_sink.h", "sinks/kafka/kafka_sink.h", true), 1u);
  EXPECT_EQ(faults("core/polling/shard.cpp", "daemon/app.h", true), 1u);
  EXPECT_EQ(faults("core/polling/shard.cpp", "core/state/sink.h", true), 0u);
  EXPECT_EQ(faults("core/polling/shard.cpp", "curl/curl.h", false), 1u);
  EXPECT_EQ(faults("daemon/app.cpp", "sqlite3.h", false), 1u);
  EXPECT_EQ(faults("core/base/json_text.h", "simdjson.h", false), 1u);
  EXPECT_EQ(faults("core/new_room/clock.h", "vector", false), 1u);
}

}  // namespace
}  // namespace sessionlogd
