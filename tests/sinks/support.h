// What the sink tests share: a directory that goes away, events whose keys count upwards, and a state that checks them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "core/state/sink.h"
#include "tests/support/read_text.h"

namespace sessionlogd::test {

class TempDir {
 public:
  explicit TempDir(const std::filesystem::path& parent = std::filesystem::temp_directory_path());
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// In memory where there is such a thing: for tests that sync very often, and in which no power is cut.
std::filesystem::path quick_directory();

void write_text(const std::string& path, std::string_view text);  // replaces the content, keeps the inode
void append_text(const std::string& path, std::string_view text);
void overwrite_at(const std::string& path, std::size_t offset, std::string_view bytes);

// Statements in a database that must be there.
void execute(const std::string& database, const std::string& sql);
// The first column of the first row.
std::int64_t number(const std::string& database, const std::string& sql);
// Makes of the state of a file sink what a daemon of `schema`, 1 to 3, would have there.
void make_older(const std::string& database, int schema);

// A line of the output, "\n" included; its hash is the lower half of `entry` plus 1.
std::string event_line(std::uint64_t session, std::uint64_t entry, std::string_view message = "m");

// Entries first to first + count - 1 of a session of source "src", with the record that says so.
Batch batch_of(std::uint64_t session, std::uint64_t first, std::uint64_t count, std::string_view message = "m");

// Knows how many entries of each session were delivered: 0, 1, 2, ... in order, or it complains.
class CountingState : public StateVisitor {
 public:
  void record(std::string_view source_id, const StateRecord& record) override;
  void delivered(const Delivered& event) override;
  std::vector<Batch> settle() override;

  std::uint64_t count(std::uint64_t session) const;
  const std::map<std::uint64_t, std::uint64_t>& counts() const { return counts_; }
  const std::vector<std::string>& complaints() const { return complaints_; }
  std::uint64_t deliveries() const { return deliveries_; }
  std::uint64_t settlements() const { return settlements_; }

 private:
  std::map<std::uint64_t, std::uint64_t> counts_;
  std::map<std::uint64_t, bool> changed_;
  std::vector<std::string> complaints_;
  std::uint64_t deliveries_ = 0;
  std::uint64_t settlements_ = 0;
};

// What the lines of a file hold, by the same rule; every line must be an event or blank.
CountingState count_output(const std::string& text);

}  // namespace sessionlogd::test
