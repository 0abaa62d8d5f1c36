#include "config/load.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "config/dialect_set.h"
#include "config/error_list.h"
#include "config/include_files.h"
#include "config/read_context.h"
#include "config/read_daemon.h"
#include "config/read_poll.h"
#include "config/read_sink.h"
#include "config/read_source.h"
#include "config/storage_paths.h"
#include "config/table_reader.h"
#include "config/text_file.h"
#include "config/value_rules.h"

namespace sessionlogd {
namespace {

std::string default_state_dir() {
  // systemd lists several directories with colons between them; ours is the first.
  const char* given = std::getenv("STATE_DIRECTORY");
  const std::string_view directories = given != nullptr ? given : "";
  const std::string_view first = directories.substr(0, directories.find(':'));
  return first.empty() ? "/var/lib/sessionlogd" : std::string(first);
}

// Two sources of one name could not be told apart, two of one id would share their state.
class Unique {
 public:
  // False when `value` was seen before, which is reported at `key`.
  bool check(const TableReader& table, std::string_view key, const std::string& value) {
    if (value.empty()) return true;
    const auto [first, is_first] = first_.emplace(value, table.file() + ":" + std::to_string(table.line_of(key)));
    if (!is_first) {
      table.refuse(
          key, "found " + in_quotes(value) + ", which the source at " + first->second + " has too, expected another");
    }
    return is_first;
  }

 private:
  std::map<std::string, std::string> first_;
};

class Loader {
 public:
  Loader(const std::filesystem::path& file, std::span<const FormatRules> formats, SecretFiles secret_files)
      : file_(file), context_{.formats = formats, .secret_files = secret_files, .warnings = settings_.warnings} {
    settings_.file = file.string();
    settings_.daemon.state_dir = default_state_dir();
    errors_.opened(settings_.file);
  }

  std::variant<Settings, std::vector<ConfigError>> load(std::string_view text) {
    if (const std::optional<TomlTable> root = parse_toml(text, settings_.file, errors_)) {
      read_main(*root);
    }
    return result();
  }

  std::variant<Settings, std::vector<ConfigError>> load() {
    const std::optional<std::string> text = read_text_file(file_, errors_);
    return text ? load(*text) : result();
  }

 private:
  void read_main(const TomlTable& root) {
    TableReader table(errors_, settings_.file, "", 1, root);
    auto daemon = table.table("daemon");
    if (daemon) read_daemon(*daemon, context_, settings_.daemon);
    context_.memory_bytes = settings_.daemon.memory_bytes;
    auto poll = table.table("poll");
    if (poll) read_poll(*poll, context_, context_.poll.poll);
    context_.poll.retention_given = poll && poll->has("retention");
    if (daemon && !(poll && poll->has("max_body"))) check_default_body(*daemon);
    read_storage(table, daemon);
    if (daemon) check_admin(*daemon);

    DialectSet dialects(file_.parent_path() / "dialects", errors_, settings_.warnings);
    context_.dialects = &dialects;
    read_sources(table);
    table.finish();

    bool all_read = !table.has("source");
    for (const std::filesystem::path& included : find_included({file_, daemon ? daemon->line_of("include") : 0},
                                                               settings_.daemon.include, errors_, settings_.warnings)) {
      all_read = read_included(included) && all_read;
    }
    if (settings_.sources.empty() && all_read) report_no_source();
  }

  void read_storage(TableReader& table, const std::optional<TableReader>& daemon) {
    const std::size_t before = errors_.size();
    const TomlTable nothing_said;
    auto sink = table.table("sink");
    if (!sink) sink.emplace(errors_, settings_.file, "sink", 0, nothing_said);
    read_sink(*sink, context_, settings_.sink);
    context_.longest_label = rules_of(context_, settings_.sink.format).longest_label;
    const std::string output(path_of(settings_.sink));
    std::error_code error;
    if (std::filesystem::equivalent(output, file_, error))
      sink->refuse("path", "found " + in_quotes(output) + ", which is this file, expected another");
    if (!context_.opens_files() || errors_.size() > before || !settings_.sink.keeps_state()) return;
    std::string fault = find_fault_of_directory(settings_.daemon.state_dir);
    if (!output.empty() && is_one_place(output, settings_.daemon.state_dir)) {
      fault = "found " + in_quotes(settings_.daemon.state_dir) + ", which is sink.path, too, expected another";
    } else if (!output.empty() && is_of_the_state(output, settings_.daemon.state_dir)) {
      sink->refuse("path", "found " + in_quotes(output) + ", which the daemon keeps for itself, expected another");
    }
    if (fault.empty()) return;
    if (daemon) {
      daemon->refuse("state_dir", fault);
    } else {
      errors_.add(settings_.file, 0, "daemon.state_dir", fault);
    }
  }

  void check_admin(const TableReader& daemon) {
    if (!settings_.daemon.admin || settings_.daemon.admin->socket.empty()) return;
    const std::string& socket = settings_.daemon.admin->socket;
    const std::string output(path_of(settings_.sink));
    std::string whose;
    if (!output.empty() && is_one_place(socket, output)) whose = "is sink.path, too";
    if (is_of_the_state(socket, settings_.daemon.state_dir)) whose = "the daemon keeps for itself";
    if (!whose.empty())
      daemon.refuse("admin", "found " + in_quotes("unix:" + socket) + ", which " + whose + ", expected another");
  }

  void check_default_body(const TableReader& daemon) {
    const std::size_t least = context_.poll.poll.max_body_bytes * kLeastMemoryPerBody;
    if (settings_.daemon.memory_bytes >= least) return;
    daemon.refuse("memory", "found " + in_quotes(format_size(settings_.daemon.memory_bytes)) + ", expected at least " +
                                in_quotes(format_size(least)) + ", or a poll.max_body of a quarter of it");
  }

  // False when the file could not be read, so that nobody knows what is in it.
  bool read_included(const std::filesystem::path& file) {
    errors_.opened(file.string());
    const std::optional<std::string> text = read_text_file(file, errors_);
    const std::optional<TomlTable> root = text ? parse_toml(*text, file.string(), errors_) : std::nullopt;
    if (!root) return false;
    TableReader table(errors_, file.string(), "", 1, *root);
    for (const std::string_view elsewhere : {"daemon", "poll", "sink"}) {
      if (table.has(elsewhere)) {
        (void)table.table(elsewhere);
        table.refuse(elsewhere,
                     "found in an included file, expected in " + settings_.file + ": only [[source]] may stand here");
      }
    }
    read_sources(table);
    table.finish();
    return !table.has("source");
  }

  void read_sources(TableReader& table) {
    for (TableReader& source : table.tables("source")) {
      SourceSettings read = read_source(source, context_);
      const bool own_name = names_.check(source, "name", read.name);
      if (source.has("id")) {
        ids_.check(source, "id", read.id);
      } else if (own_name) {
        ids_.check(source, "name", read.id);
      }
      settings_.sources.push_back(std::move(read));
    }
  }

  void report_no_source() {
    errors_.add(settings_.file, 0, "source",
                "found no source, expected at least one, here or in an included file, like:\n"
                "[[source]]\n"
                "name     = \"aws-eu\"\n"
                "dialect  = \"veeam-aws\"\n"
                "url      = \"https://10.0.0.5:11005\"\n"
                "username = \"collector\"\n"
                "password = \"file:/etc/sessionlogd/aws-eu.password\"");
  }

  std::variant<Settings, std::vector<ConfigError>> result() {
    if (!errors_.empty()) return errors_.in_order();
    return std::move(settings_);
  }

  std::filesystem::path file_;
  ErrorList errors_;
  Settings settings_;
  ReadContext context_;
  Unique names_;
  Unique ids_;
};

}  // namespace

std::variant<Settings, std::vector<ConfigError>> load_settings(const std::filesystem::path& file,
                                                               std::span<const FormatRules> formats,
                                                               SecretFiles secret_files) {
  return Loader(file, formats, secret_files).load();
}

std::variant<Settings, std::vector<ConfigError>> parse_settings(std::string_view text,
                                                                const std::filesystem::path& file,
                                                                std::span<const FormatRules> formats) {
  return Loader(file, formats, SecretFiles::kMustBeReadable).load(text);
}

}  // namespace sessionlogd
