#include "core/polling/log_verdict.h"

#include "core/api/admission.h"

namespace sessionlogd {

Strange strange_of(const Doubt& doubt) {
  if (doubt.disputed) return Strange::kOnlyOwn;
  return doubt.vouched_for ? Strange::kTake : Strange::kLeave;
}

Owner owner_of(const Doubt& doubt, const ReadOutcome& read) {
  if (!doubt.disputed) return read.strange ? Owner::kUnknown : Owner::kSession;
  if (read.strange) return Owner::kAnother;
  // An empty log says nothing yet, and what was on its way when the row came may still be what the id named before.
  return read.entries == 0 || doubt.asked_before_dispute ? Owner::kSession : Owner::kCorrectedSession;
}

bool lacks_something(const GivenAway& session) {
  if (session.was_done || session.is_unread) return false;
  return session.held_back || !session.was_settling;
}

NextRead next_read(const ReadToEnd& read, PollMode mode) {
  using Step = SessionLife::Next::Step;
  if (read.next.step == Step::kDone) {
    if (!read.disputed) return NextRead::kDone;
    if (read.entries > 0) return NextRead::kAtOnce;
    // An empty log tells nothing. One that had been done is so again, and the next row disputes it again.
    return read.was_done ? NextRead::kDone : NextRead::kOfAnother;
  }
  const bool by_pace = read.next.step == Step::kByPace;
  // In one pass a session is read again only if its final state was seen after this read was sent.
  if (mode == PollMode::kOnePass && (by_pace || read.next.wait.count() > 0)) return NextRead::kNotInOnePass;
  if (!by_pace) return NextRead::kAfterWait;
  return read.without_news > kForgottenAfter ? NextRead::kDone : NextRead::kByPace;
}

ReadSuccess::About about(const FailedRead& read) {
  const bool is_its_own = read.error.http_status == 404 && read.final && read.source_lists;
  return is_its_own ? ReadSuccess::About::kSession : ReadSuccess::About::kSource;
}

bool may_be_for_good(const FailedRead& read) {
  if (read.error.http_status == 404) return read.source_lists && !read.is_listed;
  return read.final && (read.error.kind == ErrorKind::kBadResponse || read.error.kind == ErrorKind::kRefused);
}

bool is_left_unread(const FailedRead& read, PollMode mode) {
  if (mode == PollMode::kForever) return false;
  // A log that is not there may just not be there yet.
  const bool is_refused = read.error.kind == ErrorKind::kRefused || read.error.kind == ErrorKind::kLogInAgain;
  if (is_refused && read.error.http_status != 404) return true;
  return read.failures_in_a_row >= kTriesInOnePass || read.error.retry_after > kMostWaitOfOnePass;
}

}  // namespace sessionlogd
