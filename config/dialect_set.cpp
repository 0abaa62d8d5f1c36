#include "config/dialect_set.h"

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "config/error_list.h"
#include "config/load.h"
#include "config/text_file.h"
#include "config/units.h"

namespace sessionlogd {

DialectSet::DialectSet(const std::filesystem::path& directory, ErrorList& errors, std::vector<std::string>& warnings) {
  for (const BuiltInDialect& built_in : built_in_dialects()) known_.emplace(built_in.name, nullptr);

  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".toml") files.push_back(at->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    errors.add(directory.string(), 0, "", "cannot be read: " + error.message());
    incomplete_ = true;
  }
  std::ranges::sort(files);
  for (const std::filesystem::path& file : files) add_file(file, errors, warnings);
}

void DialectSet::add_file(const std::filesystem::path& file, ErrorList& errors, std::vector<std::string>& warnings) {
  const std::size_t before = errors.size();
  if (const std::optional<std::string> text = read_text_file(file, errors)) {
    auto parsed = parse_dialect(*text, file);
    if (auto* mistakes = std::get_if<std::vector<ConfigError>>(&parsed)) {
      for (const ConfigError& mistake : *mistakes) errors.add(mistake.file, mistake.line, mistake.key, mistake.message);
    } else {
      auto dialect = std::make_shared<const Dialect>(std::move(std::get<Dialect>(parsed)));
      const auto [other, first] = file_of_.emplace(dialect->name, file.string());
      if (!first)
        errors.add(file.string(), 0, "name",
                   "found " + in_quotes(dialect->name) + ", which " + other->second + " has too, expected another");
      if (first &&
          std::ranges::find(built_in_dialects(), dialect->name, &BuiltInDialect::name) != built_in_dialects().end()) {
        if (file.stem() != dialect->name) {
          errors.add(file.string(), 0, "name",
                     "found " + in_quotes(dialect->name) + ", the name of a built-in dialect, expected another, like " +
                         in_quotes(file.stem().string()) + " (to replace the built-in one, name the file " +
                         dialect->name + ".toml)");
        } else {
          warnings.push_back(file.string() + " replaces the built-in dialect " + dialect->name);
        }
      }
      known_[dialect->name] = std::move(dialect);
    }
  }
  incomplete_ = incomplete_ || errors.size() > before;
}

std::shared_ptr<const Dialect> DialectSet::find(std::string_view name) {
  const auto found = known_.find(name);
  if (found == known_.end()) return nullptr;
  if (found->second == nullptr) {
    const auto built_in = std::ranges::find(built_in_dialects(), name, &BuiltInDialect::name);
    auto parsed = parse_dialect(built_in->toml, std::string(name) + ".toml");
    if (auto* mistakes = std::get_if<std::vector<ConfigError>>(&parsed)) {
      throw std::logic_error("built-in dialect: " + mistakes->front().to_string());
    }
    found->second = std::make_shared<const Dialect>(std::move(std::get<Dialect>(parsed)));
  }
  return found->second;
}

std::vector<std::string_view> DialectSet::names() const {
  std::vector<std::string_view> out;
  for (const auto& [name, dialect] : known_) out.push_back(name);
  return out;
}

std::string DialectSet::expected() const {
  std::string out = "one of";
  for (const std::string_view name : names()) out += (out.size() == 6 ? " " : ", ") + std::string(name);
  return out;
}

}  // namespace sessionlogd
