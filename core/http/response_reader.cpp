#include "core/http/response_reader.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "core/http/http_headers.h"

namespace sessionlogd {

void ResponseReader::begin(Body body, std::size_t max_body) {
  max_body_ = max_body;
  fault_ = Fault::kNone;
  in_header_ = false;
  header_bytes_ = 0;
  gzip_.reset();
  decoded_ = on_wire_ = 0;
  body_ = std::move(body);
  body_.clear();
}

bool ResponseReader::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMostHeaderBytes) fail(Fault::kHeadersTooLarge);
  if (is_faulty()) return false;
  if (line.starts_with("HTTP/")) {  // the final response's headers replace those of 1xx ones
    in_header_ = true;
    gzip_.reset();
    content_length_ = 0;
    content_type_.clear();
    retry_after_.clear();
    www_authenticate_.clear();
    location_.clear();
    date_.reset();
    return true;
  }
  if (!in_header_) return true;  // a trailer
  if (trim(line).empty()) {
    in_header_ = false;
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return true;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (equal_ignoring_case(name, "content-length")) {
    std::from_chars(value.data(), value.data() + value.size(), content_length_);
    if (content_length_ > max_body_) fail(Fault::kTooLarge);
  } else if (equal_ignoring_case(name, "content-type")) {
    content_type_ = value;
  } else if (equal_ignoring_case(name, "content-encoding")) {
    take_coding(value);
  } else if (equal_ignoring_case(name, "date")) {
    date_ = parse_http_date(value);
  } else if (equal_ignoring_case(name, "retry-after")) {
    retry_after_ = value;
  } else if (equal_ignoring_case(name, "www-authenticate")) {
    www_authenticate_ = value;
  } else if (equal_ignoring_case(name, "location")) {
    location_ = value;
  }
  return !is_faulty();
}

// gzip is asked for and nothing else: what is not decoded here is not a response to that.
void ResponseReader::take_coding(std::string_view coding) {
  if (coding.empty() || equal_ignoring_case(coding, "identity")) return;
  const bool is_gzip = equal_ignoring_case(coding, "gzip") || equal_ignoring_case(coding, "x-gzip");
  if (!is_gzip || gzip_) {
    fail(Fault::kUnknownCoding);
  } else {
    gzip_ = std::make_unique<GzipDecoder>();
  }
}

ResponseReader::Taken ResponseReader::take_body(std::string_view more) {
  if (gzip_) return take_gzip(more);
  const std::size_t size = body_.size() + more.size();
  if (size > max_body_) return faulty(Fault::kTooLarge);
  if (!make_room(size, content_length_)) return Taken::kNoRoom;
  body_.append(more);
  return Taken::kAll;
}

// The bytes on the wire are held to the cap, too: an encoding may take many of them to say nothing.
ResponseReader::Taken ResponseReader::take_gzip(std::string_view more) {
  if (on_wire_ + more.size() > max_body_) return faulty(Fault::kTooLarge);
  std::string_view rest = more.substr(std::min(decoded_, more.size()));
  for (auto step = GzipDecoder::Step::kNeedsRoom; step != GzipDecoder::Step::kNeedsInput;) {
    if (body_.room().empty() && !make_room(body_.size() + 1, 0)) {
      decoded_ = more.size() - rest.size();
      return Taken::kNoRoom;
    }
    const std::span<char> room = body_.room();
    const std::size_t most = max_body_ + 1 - body_.size();
    std::size_t filled = 0;
    step = gzip_->decode(rest, room.first(std::min(room.size(), most)), filled);
    body_.filled(filled);
    if (body_.size() > max_body_) return faulty(Fault::kTooLarge);
    if (step == GzipDecoder::Step::kFaulty) return faulty(Fault::kUndecodable);
  }
  decoded_ -= std::min(decoded_, more.size());
  on_wire_ += more.size();
  return Taken::kAll;
}

// false: `waiter_` waits for the permit.
bool ResponseReader::make_room(std::size_t size, std::size_t expected) {
  if (body_.make_room(size, expected)) return true;
  LargeBodyPermit::Held permit = permit_.take(waiter_);
  if (permit == nullptr) return false;
  body_.permit(std::move(permit));
  return body_.make_room(size, expected);
}

ResponseReader::Taken ResponseReader::faulty(Fault fault) {
  fail(fault);
  return Taken::kFaulty;
}

void ResponseReader::end() {
  if (gzip_ && !gzip_->complete()) fail(Fault::kUndecodable);
}

void ResponseReader::clear() {
  body_ = Body();
  gzip_.reset();
}

Error ResponseReader::error(const std::string& who) const {
  const auto bad = [&](const std::string& words) { return Error(ErrorKind::kBadResponse, who + words); };
  switch (fault_) {
    case Fault::kTooLarge:
      return bad("the response is larger than max_body (" + std::to_string(max_body_) + " bytes)");
    case Fault::kHeadersTooLarge:
      return bad("the response's headers are larger than " + std::to_string(kMostHeaderBytes) + " bytes");
    case Fault::kUnknownCoding:
      return bad("the response has a Content-Encoding that was not asked for");
    case Fault::kUndecodable:
      return bad("the response cannot be decoded: it is no whole gzip");
    case Fault::kNothingInIt:
      return bad("the response is sent in a way that takes many times its own length (chunk extensions, tiny chunks)");
    case Fault::kTooSlow:
      return Error(ErrorKind::kTryLater,
                   who + "the response is large and came too slowly while others wait to be read");
    case Fault::kNoMemory:
      return Error(ErrorKind::kTryLater, who + "out of memory while reading the response");
    case Fault::kNoResponse:
    case Fault::kNone:
      break;
  }
  return Error(ErrorKind::kTryLater, who + "the connection ended without a response");
}

}  // namespace sessionlogd
