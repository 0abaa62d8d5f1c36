#include "sinks/formats/cef.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "config/url.h"
#include "core/base/hex.h"
#include "sinks/formats/clean_text.h"
#include "sinks/formats/event_words.h"
#include "sinks/formats/json_field.h"

namespace sessionlogd {
namespace {

constexpr std::string_view kBegin = "CEF:0|";

struct HeaderRules {
  static constexpr std::string_view kEscaped = "\\|", kLineFeed = " ", kCarriageReturn = " ", kTab = " ",
                                    kControl = " ";
};
struct ValueRules {
  static constexpr std::string_view kEscaped = "\\=", kLineFeed = "\\n", kCarriageReturn = "\\r", kTab = "\t",
                                    kControl = kReplacement;
};

// Of the extension.
template <class Text>
void append_pair(Text& out, std::string_view key, std::string_view value) {
  append_field<ValueRules>(out, key, value);
}

// An empty one is written "-": some parsers drop the whole line for it.
void append_header(std::string& out, std::string_view field) {
  CleanText<HeaderRules>::append(out, field.empty() ? "-" : field);
  out += '|';
}

std::string_view class_and_name(EventKind kind) {
  switch (kind) {
    case EventKind::kError:
      return "error|Session log entry that cannot be read|";
    case EventKind::kGap:
      return "gap|Session log gap|";
    case EventKind::kNew:
    case EventKind::kChanged:
      break;
  }
  return "entry|Session log entry|";
}

char severity(Level level) {
  switch (level) {
    case Level::kError:
      return '7';
    case Level::kWarning:
      return '5';
    case Level::kNotice:
      return '3';
    case Level::kInfo:
      break;
  }
  return '1';
}

std::string product_of(const SourceSettings& source) {
  std::string product(kBegin);
  append_header(product, source.dialect->vendor);
  append_header(product, source.dialect->product);
  append_header(product, source.api_version);
  return product;
}

class CefEncoder : public Encoder {
 public:
  explicit CefEncoder(const SourceSettings& source)
      : headers_(
            [product = product_of(source)](EventKind kind) { return product + std::string(class_and_name(kind)); }) {
    append_pair(device_, is_ipv4(source.host) ? " dvc=" : " dvchost=", source.host);
    append_pair(device_, " deviceExternalId=", source.id);
    append_pair(source_name_, " cs4Label=source cs4=", source.name);

    if (!source.labels.empty()) append_pair(labels_, " slLabels=", '{' + json_members(source.labels) + '}');
  }

  void append(const Event& event, LineBuffer& out) override {
    know_session(*event.session);
    out += headers_.of(event.kind);
    out += severity(event.level);
    out += "|rt=";
    out += milliseconds_.text(event.timestamp);
    if (event.start) {
      out += " start=";
      out += start_.text(*event.start);
    }
    if (event.end) {
      out += " end=";
      out += (event.end == event.timestamp ? milliseconds_ : end_).text(*event.end);
    }
    out += " externalId=";
    append_hex(out, event.session_key);
    append_hex(out, event.entry_key);
    out += device_and_category_;
    out += " outcome=";
    out += word(event.outcome);
    out += session_;
    append_pair(out, " cs3Label=status cs3=", event.status);
    out += source_and_parent_;
    append_pair(out, " cs6Label=resourceId cs6=", event.resource_id);
    if (event.duration_ns) {
      out += " cn1Label=durationMs cn1=";
      append_number(out, to_milliseconds(*event.duration_ns));
    }
    out += " deviceCustomDate1Label=readAt deviceCustomDate1=";
    out += created_.text(event.created);
    out += " slTime=";
    out += time_.text(event.timestamp);
    out += " slChange=";
    out += word(event.kind);
    append_pair(out, " reason=", event.fault);
    append_pair(out, " slLogTime=", event.log_time);
    append_pair(out, " slDuration=", event.duration);
    out += labels_;
    append_pair(out, " slExtra=", event.extra);
    append_pair(out, " slOriginal=", event.original);
    append_pair(out, " msg=", event.message.empty() ? event.fault : event.message);
    out += " slHash=";
    append_hex(out, event.hash);
    out += '\n';
  }

 private:
  void know_session(const SessionInfo& session) {
    if (!known_.changes_to(session)) return;
    device_and_category_ = device_;
    append_pair(device_and_category_, " cat=", session.type);
    session_.clear();
    append_pair(session_, " cs1Label=sessionId cs1=", session.id);
    append_pair(session_, " cs2Label=sessionName cs2=", session.name);
    source_and_parent_ = source_name_;
    append_pair(source_and_parent_, " cs5Label=parentSessionId cs5=", session.parent);
  }

  TextsPer<EventKind> headers_;                // up to the severity
  std::string device_, source_name_, labels_;  // never change
  KeptSession known_;
  std::string device_and_category_, session_, source_and_parent_;  // of the session of the event before
  WrittenTime milliseconds_{append_milliseconds}, start_{append_milliseconds}, end_{append_milliseconds},
      created_{append_milliseconds};
  WrittenTime time_;
};

// " key=value", the value as it stands in the line.
struct Pair {
  std::string_view key, value;
};

bool is_key(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

// A line of ours, taken apart.
struct CefLine {
  std::string_view header;  // with its last pipe
  std::string_view event_class;
  std::vector<Pair> pairs;

  // The keys that this version writes are fewer.
  static constexpr std::size_t kMostPairs = 64;

  // False: it is none, or not whole.
  bool read(std::string_view line) {
    pairs.clear();
    return line.starts_with(kBegin) && is_clean(line) && read_header(line) && read_extension(line) && is_whole();
  }

  const Pair* find(std::string_view key) const {
    const auto found = std::ranges::find(pairs, key, &Pair::key);
    return found == pairs.end() ? nullptr : &*found;
  }

 private:
  bool read_header(std::string_view line) {
    std::size_t begin = 0;
    for (int field = 0; field < 7; ++field) {
      std::size_t at = begin;
      while (at < line.size() && line[at] != '|') at += line[at] == '\\' ? 2 : 1;
      if (at >= line.size()) return false;
      if (field == 4) event_class = line.substr(begin, at - begin);
      begin = at + 1;
    }
    header = line.substr(0, begin);
    return true;
  }

  // Values have no "=" without a backslash, so each one that has none ends a key.
  bool read_extension(std::string_view line) {
    std::size_t key = header.size(), equals = line.find('=', key);
    while (equals != line.npos) {
      const std::string_view name = line.substr(key, equals - key);
      if (!is_key(name) || find(name) != nullptr || pairs.size() == kMostPairs) return false;
      const std::size_t value = equals + 1;
      const std::optional<std::size_t> next = end_of_value_at(line, value);
      if (!next) return false;
      if (*next == line.size()) {
        pairs.push_back({name, line.substr(value)});
        return true;
      }
      const std::size_t space = line.rfind(' ', *next);
      if (space == line.npos || space < value) return false;
      pairs.push_back({name, line.substr(value, space - value)});
      key = space + 1;
      equals = *next;
    }
    return false;
  }

  // Where the next "=" without a backslash stands, or the line ends; nullopt at an escape that we do not write.
  static std::optional<std::size_t> end_of_value_at(std::string_view line, std::size_t at) {
    for (;;) {
      at = line.find_first_of("\\=", at);
      if (at == line.npos) return line.size();
      if (line[at] == '=') return at;
      if (at + 1 == line.size() || std::string_view("\\=nr").find(line[at + 1]) == std::string_view::npos)
        return std::nullopt;
      at += 2;
    }
  }

  bool is_whole() const { return !pairs.empty() && pairs.back().key == "slHash" && pairs.back().value.size() == 8; }
};

// RFC 3339 of a count of milliseconds; "" of what is none.
std::string time_of_milliseconds(std::string_view digits) {
  std::int64_t count = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, count);
  std::string text;
  if (digits.empty() || read.ec != std::errc{} || read.ptr != end) return text;
  const auto at = add_nanoseconds({count / 1'000, 0}, count % 1'000 * 1'000'000);
  if (at) append_rfc3339(text, *at);
  return text;
}

class CefReader : public LineReader {
 public:
  std::optional<WrittenEvent> read(std::string_view line) override {
    if (!line_.read(line)) return std::nullopt;
    texts_.clear();
    texts_.reserve(line.size());  // no view moves
    WrittenEvent event;
    const bool identified = read_identity(raw("externalId"), raw("slHash"), event.entry) &&
                            !raw("deviceExternalId").empty() && raw("cs1Label") == "sessionId" &&
                            line_.find("cs1") != nullptr;
    if (!identified) return std::nullopt;
    event.entry.source_id = text("deviceExternalId");
    event.entry.session_id = text("cs1");
    if (line_.find("slLogTime") != nullptr && line_.event_class != "error")
      event.entry.log_time = read_time(raw("slTime"));
    event.change = change_of(raw("slChange"));
    event.source_name = text("cs4");
    if (line_.find("reason") == nullptr) event.message = text("msg");  // else msg says the same
    event.log_time = text("slLogTime");
    event.status = text("cs3");
    event.duration = text("slDuration");
    event.resource_id = text("cs6");
    event.extra = text("slExtra");
    event.original = text("slOriginal");
    event.created = created_ = time_of_milliseconds(raw("deviceCustomDate1"));
    event.entry.read_at = read_time(event.created);
    event.start = start_ = time_of_milliseconds(raw("start"));
    return event;
  }

  void shrink() override {
    line_ = {};
    texts_ = {};
  }

 private:
  std::string_view raw(std::string_view key) const {
    const Pair* pair = line_.find(key);
    return pair != nullptr ? pair->value : std::string_view();
  }

  std::string_view text(std::string_view key) {
    std::string_view value = raw(key);
    if (value.find('\\') == value.npos) return value;
    const std::size_t begin = texts_.size();
    for (std::size_t at = 0; at < value.size(); ++at) {
      char c = value[at];
      if (c == '\\') {
        c = value[++at];
        c = c == 'n' ? '\n' : c == 'r' ? '\r' : c;
      }
      texts_ += c;
    }
    return std::string_view(texts_).substr(begin);
  }

  CefLine line_;
  std::string texts_;  // without escapes
  std::string created_, start_;
};

// What an entry says, in the order in which it is missed least; before them slExtra goes whole.
constexpr std::string_view kCutInTurn[] = {"slOriginal", "msg", "reason", "cs6", "slDuration", "cs3", "slLogTime"};

// Before which the length that the line had is written.
constexpr std::string_view kBehindTheMark[] = {"slExtra", "slOriginal", "msg", "slHash"};

std::string cut_cef(std::string_view line, std::size_t limit) {
  CefLine cut;
  if (!cut.read(line)) return std::string(line);
  const std::string mark = fmt::format(" slTruncated={}", line.size());
  std::size_t size = line.size() + mark.size();
  const auto excess = [&] { return size - std::min(size, limit); };

  if (const Pair* extra = cut.find("slExtra"); extra != nullptr && excess() > 0) {
    size -= extra->key.size() + extra->value.size() + 2;
    cut.pairs.erase(cut.pairs.begin() + (extra - cut.pairs.data()));
  }
  for (const std::string_view key : kCutInTurn) {
    const auto pair = std::ranges::find(cut.pairs, key, &Pair::key);
    if (pair == cut.pairs.end()) continue;
    const std::size_t kept = kept_size(pair->value, excess());
    size -= pair->value.size() - kept;
    pair->value = pair->value.substr(0, kept);
  }

  std::string out(cut.header);
  out.reserve(size);
  bool marked = false;
  for (const Pair& pair : cut.pairs) {
    if (!marked && std::ranges::find(kBehindTheMark, pair.key) != std::end(kBehindTheMark)) {
      out += mark;
      marked = true;
    }
    if (out.size() > cut.header.size()) out += ' ';
    out += pair.key;
    out += '=';
    out += pair.value;
  }
  return out;
}

}  // namespace

constinit const Format kCefFormat{
    .name = "cef",
    .content_type = "text/plain; charset=utf-8",
    .opening = kBegin,
    .encoder = [](const SourceSettings& source, const SinkSettings&, std::string_view,
                  std::string_view) -> std::unique_ptr<Encoder> { return std::make_unique<CefEncoder>(source); },
    .reader = []() -> std::unique_ptr<LineReader> { return std::make_unique<CefReader>(); },
    .cut = cut_cef,
    .for_syslog = true,
};

}  // namespace sessionlogd
