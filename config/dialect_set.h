// The dialects a configuration can name: the built-in ones and those of the directory `dialects/` beside the
// configuration, which add to them or replace them by name.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/dialect.h"

namespace sessionlogd {

class ErrorList;

class DialectSet {
 public:
  // Mistakes in the files of `directory` are reported at once; a directory that is not there is no mistake. A built-in
  // dialect is replaced only by a file that has its name, so not by a copy that was never given one of its own, and
  // that is warned about.
  DialectSet(const std::filesystem::path& directory, ErrorList& errors, std::vector<std::string>& warnings);

  // nullptr when there is none of this name. Built-in dialects are parsed when first asked for.
  std::shared_ptr<const Dialect> find(std::string_view name);

  std::vector<std::string_view> names() const;
  std::string expected() const;  // "one of veeam-aws, veeam-azure"

  // A file could not be read, so a name that is missing may stand in it.
  bool incomplete() const { return incomplete_; }

 private:
  void add_file(const std::filesystem::path& file, ErrorList& errors, std::vector<std::string>& warnings);

  std::map<std::string, std::shared_ptr<const Dialect>, std::less<>> known_;  // nullptr = built in, not parsed yet
  std::map<std::string, std::string, std::less<>> file_of_;
  bool incomplete_ = false;
};

}  // namespace sessionlogd
