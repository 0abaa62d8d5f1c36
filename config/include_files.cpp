#include "config/include_files.h"

#include <glob.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "config/error_list.h"
#include "config/value_rules.h"

namespace sessionlogd {
namespace {

// glob() gives its callback no context.
thread_local std::string unreadable;

int remember_unreadable(const char* path, int error) {
  if (error == ENOENT || error == ENOTDIR) return 0;
  unreadable = std::string(path) + " cannot be read: " + std::generic_category().message(error);
  return 1;
}

// A directory's name is taken as it is, whatever is special in it.
std::string escaped(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

struct FreeGlob {
  void operator()(glob_t* found) const {
    globfree(found);
    delete found;
  }
};

class Finder {
 public:
  Finder(const IncludeKey& key, ErrorList& errors, std::vector<std::string>& warnings)
      : key_(key), errors_(errors), warnings_(warnings) {}

  std::vector<std::string> matches(const std::string& pattern) {
    const std::string directory = key_.configuration.parent_path().string();
    const std::string below = directory.empty() ? pattern : escaped(directory) + "/" + pattern;
    const std::unique_ptr<glob_t, FreeGlob> found(new glob_t{});
    unreadable.clear();
    const int failed = glob(below.c_str(), GLOB_NOSORT, remember_unreadable, found.get());
    if (failed == GLOB_NOMATCH) {
      say_why_nothing(pattern);
    } else if (failed != 0) {
      refuse(unreadable.empty() ? "the search ran out of memory" : unreadable);
    }
    // Sorted here: glob() would follow the locale.
    std::vector<std::string> out(found->gl_pathv, found->gl_pathv + found->gl_pathc);
    std::ranges::sort(out);
    return out;
  }

 private:
  // The first part of the way to the pattern's matches that leads nowhere, if any.
  void say_why_nothing(const std::string& pattern) {
    const std::string found = "found " + in_quotes(pattern) + ", which leads nowhere: ";
    std::filesystem::path at = key_.configuration.parent_path();
    for (const std::filesystem::path& part : std::filesystem::path(pattern)) {
      std::error_code error;
      if (std::filesystem::exists(at, error) && !std::filesystem::is_directory(at, error))
        return refuse(found + at.string() + " is no directory");
      if (part.native().find_first_of("*?[\\") != std::string::npos) return say_what_else_is_in(at, pattern);
      at /= part;
      if (std::filesystem::exists(at, error)) continue;
      if (std::filesystem::is_symlink(at, error)) return refuse(found + at.string() + " is a link to nothing");
      const bool named_as_it_is = pattern.find_first_of("*?[\\") == pattern.npos;
      if (named_as_it_is) return refuse(found + at.string() + " is not there");
      warnings_.push_back("daemon.include: " + found + at.string() + " is not there");
      return;
    }
  }

  // An empty directory waits for its files; one that is not may be waiting for another name of theirs.
  void say_what_else_is_in(const std::filesystem::path& directory, const std::string& pattern) {
    std::string other;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory.empty() ? "." : directory, error)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with('.') && (other.empty() || name < other)) other = name;
    }
    if (other.empty() || std::filesystem::path(pattern).parent_path().empty()) return;
    warnings_.push_back("daemon.include: found " + in_quotes(pattern) + ", which matches nothing; there is " +
                        in_quotes((directory / other).string()));
  }

  void refuse(std::string_view why) { errors_.add(key_.configuration.string(), key_.line, "daemon.include", why); }

  const IncludeKey& key_;
  ErrorList& errors_;
  std::vector<std::string>& warnings_;
};

}  // namespace

std::vector<std::string> include_patterns(const TomlValue& value) {
  std::vector<std::string> patterns = texts(value);
  for (const std::string& pattern : patterns) {
    const std::filesystem::path path(pattern);
    if (path.is_absolute() || std::ranges::find(path, "..") != path.end()) {
      throw ValueError(in_quotes(pattern), "a path below the directory of this file, like \"sources.d/*.toml\"");
    }
  }
  return patterns;
}

std::vector<std::filesystem::path> find_included(const IncludeKey& key, const std::vector<std::string>& patterns,
                                                 ErrorList& errors, std::vector<std::string>& warnings) {
  Finder finder(key, errors, warnings);
  std::vector<std::filesystem::path> out;
  for (const std::string& pattern : patterns) {
    for (const std::string& match : finder.matches(pattern)) {
      if (match == key.configuration.string() || std::ranges::find(out, std::filesystem::path(match)) != out.end())
        continue;
      out.emplace_back(match);
    }
  }
  return out;
}

}  // namespace sessionlogd
