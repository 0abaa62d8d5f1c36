#include "core/polling/session_life.h"

#include <algorithm>

namespace sessionlogd {
namespace {

constexpr std::chrono::milliseconds kShortestGap{100};
constexpr unsigned kMostDoublings = 20;

}  // namespace

void SessionLife::listed(bool final, std::uint32_t row, Shown shown) {
  const bool is_as_it_was = row_ == row;
  row_ = row;
  if (final && this->final() && is_as_it_was) return;
  final_since_ = settles_from_ = final ? shown.responded.count() : kNot;
  settling_reads_ = lacking_reads_ = 0;
  once_ = false;
}

void SessionLife::restore(std::optional<Watched> final_since, std::uint32_t row) {
  if (!final_since) return;
  final_since_ = settles_from_ = final_since->count();
  row_ = row;
}

bool SessionLife::is_last(Watched sent, std::chrono::milliseconds settle) const {
  return final() && sent.count() > final_since_ && (once_ || sent >= settled_at(settle));
}

void SessionLife::brought_news(Watched sent, std::chrono::milliseconds settle) {
  if (once_ || !is_last(sent, settle)) return;
  settles_from_ = sent.count();
  settling_reads_ = 0;
}

SessionLife::Next SessionLife::after_read(Watched sent, LogFill fill, std::chrono::milliseconds settle,
                                          std::chrono::milliseconds first_gap) {
  if (!final()) return {Next::Step::kByPace};
  // Sent before the final state was seen: it says nothing about what came with it.
  if (sent.count() <= final_since_) return {Next::Step::kWait};
  if (fill != LogFill::kLacking) {
    lacking_reads_ = 0;
  } else if (lacking_reads_ == 0) {
    once_ = false;
    settles_from_ = sent.count();
    settling_reads_ = 0;
    lacking_reads_ = 1;
  } else if (lacking_reads_ < kReadsThatLack) {
    ++lacking_reads_;
  }
  if (fill == LogFill::kPart && is_last(sent, settle)) return {Next::Step::kByPace};
  const bool believed = lacking_reads_ == 0 || lacking_reads_ == kReadsThatLack;
  if (is_last(sent, settle) && believed) return {Next::Step::kDone};
  const auto gap = first_gap * (1 << settling_reads_);
  if (settling_reads_ < kMostDoublings) ++settling_reads_;
  const auto until_settled = std::max(kShortestGap, settled_at(settle) - sent);
  return {Next::Step::kWait, std::clamp(gap, kShortestGap, until_settled)};
}

}  // namespace sessionlogd
