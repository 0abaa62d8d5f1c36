#include "tests/config/config_files.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace sessionlogd {

ConfigFiles::ConfigFiles() {
  std::string name = (std::filesystem::temp_directory_path() / "config_test.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = name;
  write("secret", "hunter2\n");
  std::filesystem::permissions(directory_ / "secret", std::filesystem::perms{0600});
}

ConfigFiles::~ConfigFiles() { std::filesystem::remove_all(directory_); }

std::filesystem::path ConfigFiles::write(const std::string& name, std::string_view text) const {
  const std::filesystem::path path = directory_ / name;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string ConfigFiles::source(std::string_view name, std::string_view more) const {
  return "[[source]]\nname = \"" + std::string(name) +
         "\"\ndialect = \"veeam-aws\"\nurl = \"https://10.0.0.5:11005\"\nusername = \"collector\"\npassword = \"" +
         secret() + "\"\n" + std::string(more) + "\n";
}

std::vector<std::string> ConfigFiles::mistakes(std::string_view text) const {
  const auto parsed = parse_settings(text, directory_ / "sessionlogd.toml", kFormats);
  std::vector<std::string> out;
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&parsed)) {
    for (const ConfigError& error : *errors) {
      std::string line = error.to_string();
      const std::string prefix = directory_.string() + "/";
      for (std::size_t at = line.find(prefix); at != line.npos; at = line.find(prefix)) line.erase(at, prefix.size());
      out.push_back(line);
    }
  }
  return out;
}

Settings ConfigFiles::settings(std::string_view text) const {
  auto parsed = parse_settings(text, directory_ / "sessionlogd.toml", kFormats);
  if (auto* settings = std::get_if<Settings>(&parsed)) return std::move(*settings);
  std::string all;
  for (const std::string& mistake : mistakes(text)) all += mistake + "\n";
  throw std::runtime_error(all);
}

EnvironmentVariable::EnvironmentVariable(const char* name, const char* value) : name_(name) {
  const char* before = std::getenv(name);
  was_set_ = before != nullptr;
  if (was_set_) before_ = before;
  value != nullptr ? setenv(name, value, 1) : unsetenv(name);
}

EnvironmentVariable::~EnvironmentVariable() {
  was_set_ ? setenv(name_.c_str(), before_.c_str(), 1) : unsetenv(name_.c_str());
}

}  // namespace sessionlogd
