// The judge's findings.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fleet {

struct Verdict {
  std::uint64_t sessions = 0;
  std::uint64_t entries = 0;  // with at least one owed form
  std::uint64_t forms = 0;    // owed forms
  std::uint64_t events = 0;   // lines written that say new or changed
  std::uint64_t skipped = 0;  // owed forms in between never written
  std::uint64_t errors_owed = 0;
  std::uint64_t errors_written = 0;
  std::uint64_t gaps = 0;
  std::uint64_t forgiven = 0;  // lost, where a gap was due and is there
  std::uint64_t unread = 0;    // sessions not read to their end

  enum Kind { lost, repeated, foreign, disordered, unreadable, unexpected_gap, unfinished };
  static constexpr std::size_t kMostExamples = 20;
  std::map<Kind, std::uint64_t> faults;
  std::map<Kind, std::vector<std::string>> examples;

  void find(Kind kind, std::string example) {
    ++faults[kind];
    if (examples[kind].size() < kMostExamples) examples[kind].push_back(std::move(example));
  }
  std::uint64_t count(Kind kind) const {
    const auto found = faults.find(kind);
    return found == faults.end() ? 0 : found->second;
  }
  bool agrees() const { return faults.empty(); }
};

std::string to_table(const Verdict& verdict);

}  // namespace fleet
