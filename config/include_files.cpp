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

std::vector<std::string> matches(const std::string& pattern, const std::string& file, ErrorList& errors) {
  const std::unique_ptr<glob_t, FreeGlob> found(new glob_t{});
  unreadable.clear();
  const int failed = glob(pattern.c_str(), GLOB_NOSORT, remember_unreadable, found.get());
  if (failed != 0 && failed != GLOB_NOMATCH) {
    errors.add(file, 0, "daemon.include", unreadable.empty() ? "the search ran out of memory" : unreadable);
  }
  // Sorted here: glob() would follow the locale.
  std::vector<std::string> out(found->gl_pathv, found->gl_pathv + found->gl_pathc);
  std::ranges::sort(out);
  return out;
}

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

std::vector<std::filesystem::path> find_included(const std::filesystem::path& configuration,
                                                 const std::vector<std::string>& patterns, ErrorList& errors) {
  const std::string directory = configuration.parent_path().string();
  std::vector<std::filesystem::path> out;
  for (const std::string& pattern : patterns) {
    const std::string below = directory.empty() ? pattern : escaped(directory) + "/" + pattern;
    for (const std::string& match : matches(below, configuration.string(), errors)) {
      if (match == configuration.string() || std::ranges::find(out, std::filesystem::path(match)) != out.end())
        continue;
      out.emplace_back(match);
    }
  }
  return out;
}

}  // namespace sessionlogd
