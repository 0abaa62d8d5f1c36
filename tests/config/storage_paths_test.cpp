#include "config/storage_paths.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/config/config_files.h"

namespace sessionlogd {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class StoragePaths : public testing::Test {
 protected:
  StoragePaths() {
    files_.write("plain", "");
    fs::create_directory(at("directory"));
    fs::create_symlink(at("plain"), at("link"));
    fs::create_symlink(at("nothing"), at("dangling"));
    fs::create_symlink(at("directory"), at("link-to-directory"));
    EXPECT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
  }
  std::string at(const std::string& name) const { return (files_.directory() / name).string(); }
  std::string output(const std::string& name) const { return find_fault_of_output(at(name)); }
  std::string directory(const std::string& name) const { return find_fault_of_directory(at(name)); }

  ConfigFiles files_;
};

TEST_F(StoragePaths, OfAnOutputAreRegularFilesOrNothing) {
  for (const char* right : {"plain", "nothing", "directory/nothing", "link-to-directory/nothing"})
    EXPECT_EQ(output(right), "") << right;
  const std::pair<const char*, const char*> table[] = {
      {"directory", " (a directory), expected the path of a regular file"},
      {"link", " (a symbolic link), expected the path of the file itself"},
      {"dangling", " (a symbolic link), "},
      {"pipe", " (a pipe), "},
      {"missing/nothing", "missing is not there), expected a file in a directory that is there"},
      {"plain/below", "plain is a file), "},
      {"plain/further/below", "plain is a file), "}};
  for (const auto& [name, part] : table) EXPECT_NE(output(name).find(part), std::string::npos) << output(name);
  EXPECT_NE(find_fault_of_output("/dev/null").find("a device"), std::string::npos);
  for (const char* made_by_the_unit : {"/var/log/sessionlogd/x.ndjson", "/var/log/sessionlogd/siem/x.ndjson"})
    EXPECT_EQ(find_fault_of_output(made_by_the_unit), "") << made_by_the_unit;
}

TEST_F(StoragePaths, LeaveRoomForTheNamesOfRotatedFiles) {
  EXPECT_EQ(output(std::string(218, 'x')), "");
  EXPECT_EQ(output(std::string(219, 'x')),
            "found a name of 219 bytes, expected at most 218: rotated files add their number and time to it");
  EXPECT_EQ(output(std::string(256, 'x') + "/out"), "found a name of 256 bytes, expected at most 255");
  EXPECT_EQ(directory(std::string(255, 'x')), "");
  EXPECT_NE(directory(std::string(256, 'x')), "");
  std::string deep;
  for (int i = 0; i < 50; ++i) deep += std::string(100, 'd') + "/";
  EXPECT_NE(output(deep + "out").find("found a path of "), std::string::npos);
}

TEST_F(StoragePaths, OfTheStateAreDirectoriesOrNothing) {
  for (const char* right : {"directory", "link-to-directory", "nothing", "directory/nothing"})
    EXPECT_EQ(directory(right), "") << right;
  for (const char* wrong : {"plain", "link", "pipe", "plain/below", "dangling", "missing/nothing"})
    EXPECT_NE(directory(wrong), "") << wrong;
  EXPECT_NE(directory("dangling").find("(a symbolic link that leads nowhere), "), std::string::npos);
  EXPECT_NE(directory("missing/nothing").find("missing is not there), "), std::string::npos);
  for (const char* made_by_the_unit : {"/var/lib/sessionlogd", "/var/lib/sessionlogd/siem"})
    EXPECT_EQ(find_fault_of_directory(made_by_the_unit), "") << made_by_the_unit;
}

TEST_F(StoragePaths, AreJudgedWhenTheConfigurationIsLoaded) {
  EXPECT_EQ(files_.mistakes("[daemon]\nstate_dir = \"" + at("plain") + "\"\n[sink]\npath = \"" + at("pipe") + "\"\n" +
                            files_.source()),
            Lines{"sessionlogd.toml:4: sink.path: found \"pipe\" (a pipe), expected the path of a regular file, or of "
                  "nothing in a directory"});
  EXPECT_EQ(
      files_.mistakes("[daemon]\nstate_dir = \"" + at("plain") + "\"\n[sink]\npath = \"" + at("out") + "\"\n" +
                      files_.source()),
      Lines{"sessionlogd.toml:2: daemon.state_dir: found \"plain\" (a file), expected the path of a directory, or "
            "of nothing in a directory"});
  files_.write("sessionlogd.toml", "");
  EXPECT_EQ(files_.mistakes("[sink]\npath = \"" + at("sessionlogd.toml") + "\"\n" + files_.source()),
            Lines{"sessionlogd.toml:2: sink.path: found \"sessionlogd.toml\", which is this file, expected another"});
  EXPECT_EQ(files_.mistakes("[daemon]\nstate_dir = \"" + at("s") + "\"\n[sink]\npath = \"" + at("s") + "\"\n" +
                            files_.source()),
            Lines{"sessionlogd.toml:2: daemon.state_dir: found \"s\", which is sink.path, too, expected another"});
}

TEST_F(StoragePaths, AreNotThoseThatTheDaemonKeepsForItself) {
  const std::string state = at("state"), says = "which the daemon keeps for itself, expected another";
  const auto mistakes = [&](const std::string& admin, const std::string& path) {
    return files_.mistakes("[daemon]\nstate_dir = \"" + state + "\"\nadmin = \"" + admin + "\"\n[sink]\npath = \"" +
                           path + "\"\n" + files_.source());
  };
  fs::create_directories(at("state/quarantine"));
  fs::create_symlink(at("state"), at("link-to-state"));
  for (const std::string own : {"lock", "control.sock", "accounts", "accounts.part", "state.db", "state.db-wal",
                                "quarantine", "quarantine/out", "../state/lock"}) {
    const std::string path = state + "/" + own;
    if (own != "quarantine") {
      EXPECT_EQ(mistakes("", path), Lines{"sessionlogd.toml:5: sink.path: found \"state/" + own + "\", " + says})
          << own;
    }
    EXPECT_EQ(mistakes("unix:" + path, at("out")),
              Lines{"sessionlogd.toml:3: daemon.admin: found \"unix:state/" + own + "\", " + says});
  }
  EXPECT_EQ(mistakes("", at("link-to-state/lock")).size(), 1u);
  EXPECT_EQ(mistakes("unix:" + at("out"), at("out")),
            Lines{"sessionlogd.toml:3: daemon.admin: found \"unix:out\", which is sink.path, too, expected another"});
  for (const char* free : {"events.ndjson", "locks", "accountsx", "admin.sock"})
    EXPECT_EQ(mistakes("unix:" + state + "/admin", state + "/" + free), Lines{}) << free;
}

}  // namespace
}  // namespace sessionlogd
