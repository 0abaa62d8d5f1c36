#include "sinks/formats/rfc5424.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <vector>

#include "core/base/hex.h"
#include "sinks/formats/clean_text.h"
#include "sinks/formats/event_words.h"

namespace sessionlogd {
namespace {

constexpr unsigned kLocal0 = 16;

// 32473 is the enterprise number that is reserved for documentation (RFC 5612).
constexpr std::string_view kLabels = "labels@32473", kOurs = "sessionlog@32473";

// A parameter's value may hold a newline by the RFC, but then a message would be two lines: it is "\n" first, and that
// backslash gets one before it as every other.
struct ParameterRules {
  static constexpr std::string_view kEscaped = "\"\\]", kLineFeed = "\\\\n", kCarriageReturn = "\\\\r", kTab = "\t",
                                    kControl = kReplacement;
};
struct MessageRules {
  static constexpr std::string_view kEscaped = "", kLineFeed = "\\n", kCarriageReturn = "\\r", kTab = "\t",
                                    kControl = kReplacement;
};

// `name` is all that stands before the value: ` status="`. Nothing when there is none.
template <class Text>
void append_parameter(Text& out, std::string_view name, std::string_view value) {
  append_field<ParameterRules>(out, name, value, "\"");
}

std::string_view message_id(EventKind kind) {
  switch (kind) {
    case EventKind::kError:
      return "error";
    case EventKind::kGap:
      return "gap";
    case EventKind::kNew:
    case EventKind::kChanged:
      break;
  }
  return "entry";
}

unsigned severity(Level level) {
  switch (level) {
    case Level::kError:
      return 3;
    case Level::kWarning:
      return 4;
    case Level::kNotice:
      return 5;
    case Level::kInfo:
      break;
  }
  return 6;
}

// The header has at most six digits of a fraction; the others go.
void append_microseconds(std::string& out, Instant at) { append_rfc3339(out, {at.seconds, at.nanos / 1'000 * 1'000}); }

std::string_view host_name(std::string_view host) {
  const bool printable = std::ranges::all_of(host, [](char c) { return c > ' ' && c < '\x7F'; });
  return printable && !host.empty() && host.size() <= 255 ? host : "-";
}

// Those before ours.
std::string elements_of(const SourceSettings& source, std::string_view version) {
  std::string elements = R"([origin software="sessionlogd")";
  append_parameter(elements, R"( swVersion=")", version);
  elements += ']';
  if (!source.labels.empty()) {
    elements += fmt::format("[{}", kLabels);
    for (const auto& [name, text] : source.labels) append_parameter(elements, ' ' + name + "=\"", text);
    elements += ']';
  }
  return elements;
}

class Rfc5424Encoder : public Encoder {
 public:
  Rfc5424Encoder(const SourceSettings& source, const SinkSettings& sink, std::string_view version)
      : priorities_([facility = sink.facility.value_or(kLocal0)](Level level) {
          return fmt::format("<{}>1 ", facility * 8 + severity(level));
        }),
        headers_([host = host_name(source.host), elements = elements_of(source, version)](EventKind kind) {
          return fmt::format(R"( {} sessionlogd - {} {}[{} id=")", host, message_id(kind), elements, kOurs);
        }) {
    source_ = '"';
    append_parameter(source_, R"( source=")", source.name);
    if (source.id != source.name) append_parameter(source_, R"( source_id=")", source.id);

    product_ = '"';
    append_parameter(product_, R"( vendor=")", source.dialect->vendor);
    append_parameter(product_, R"( product=")", source.dialect->product);
    append_parameter(product_, R"( dataset=")", source.dialect->dataset);
  }

  void append(const Event& event, LineBuffer& out) override {
    know_session(*event.session);
    out += priorities_.of(event.level);
    out += event.timestamp.nanos % 1'000 == 0 ? time_.text(event.timestamp) : microseconds_.text(event.timestamp);
    out += headers_.of(event.kind);
    append_hex(out, event.session_key);
    append_hex(out, event.entry_key);
    out += R"(" hash=")";
    append_hex(out, event.hash);
    out += source_and_session_;
    out += R"( time=")";
    out += time_.text(event.timestamp);
    out += '"';
    append_parameter(out, R"( log_time=")", event.log_time);
    out += R"( change=")";
    out += word(event.kind);
    out += '"';
    append_parameter(out, R"( status=")", event.status);
    out += R"( outcome=")";
    out += word(event.outcome);
    out += session_;
    append_parameter(out, R"( resource_id=")", event.resource_id);
    if (event.start) {
      out += R"( start=")";
      out += start_.text(*event.start);
      out += '"';
    }
    if (event.end) {
      out += R"( end=")";
      out += (event.end == event.timestamp ? time_ : end_).text(*event.end);
      out += '"';
    }
    if (event.duration_ns) {
      out += R"( duration_ns=")";
      append_number(out, *event.duration_ns);
      out += '"';
    }
    append_parameter(out, R"( duration=")", event.duration);
    out += R"( created=")";
    out += created_.text(event.created);
    out += product_;
    append_parameter(out, R"( error=")", event.fault);
    append_parameter(out, R"( extra=")", event.extra);
    append_parameter(out, R"( original=")", event.original);
    append_message(event.message.empty() ? event.fault : event.message, out);
  }

 private:
  // The length as it stands in the line comes first. Most messages stand there as they are, so that it is known.
  void append_message(std::string_view message, LineBuffer& out) {
    char* to = out.room_for(kMostBeforeMessage + message.size());
    std::size_t before = to != nullptr ? put_before_message(to, message.size()) : 0;
    if (to != nullptr && CleanText<MessageRules>::put(to + before, message)) {
      out.added(before + message.size());
    } else {
      message_.clear();
      CleanText<MessageRules>::append(message_, message);
      char end_of_elements[kMostBeforeMessage];
      before = put_before_message(end_of_elements, message_.size());
      out.append(end_of_elements, before);
      out += message_;
    }
    out += '\n';
  }

  // Puts what stands before a message of so many bytes, and returns how long it is.
  static constexpr std::size_t kMostBeforeMessage = 40;
  static std::size_t put_before_message(char* to, std::size_t bytes) {
    constexpr std::string_view kName = R"( bytes=")", kEnd = R"("] )";
    std::memcpy(to, kName.data(), kName.size());
    char* end = std::to_chars(to + kName.size(), to + kMostBeforeMessage - kEnd.size(), bytes).ptr;
    std::memcpy(end, kEnd.data(), kEnd.size());
    return static_cast<std::size_t>(end - to) + kEnd.size() - (bytes == 0 ? 1 : 0);
  }

  void know_session(const SessionInfo& session) {
    if (!known_.changes_to(session)) return;
    source_and_session_ = source_;
    append_parameter(source_and_session_, R"( session_id=")", session.id);
    session_ = '"';
    append_parameter(session_, R"( session_type=")", session.type);
    append_parameter(session_, R"( session_name=")", session.name);
    append_parameter(session_, R"( parent_session_id=")", session.parent);
  }

  TextsPer<Level> priorities_;
  TextsPer<EventKind> headers_;   // from the host to the id
  std::string source_, product_;  // never change
  KeptSession known_;
  std::string source_and_session_, session_;  // of the session of the event before
  WrittenTime microseconds_{append_microseconds};
  WrittenTime time_, start_, end_, created_;
  std::string message_;
};

// name="value", the value as it stands in the line.
struct Parameter {
  std::string_view name, value;
};

// A line of ours, taken apart.
struct SyslogLine {
  std::string_view before;  // up to the first parameter of our element
  std::string_view message_id;
  std::vector<Parameter> parameters;  // of our element
  std::string_view message;

  // The parameters that this version writes are fewer.
  static constexpr std::size_t kMostParameters = 64;

  // False: it is none, or not whole.
  bool read(std::string_view line) {
    parameters.clear();
    message = {};
    return is_clean(line) && read_header(line) && read_elements(line) && read_message(line);
  }

  const Parameter* find(std::string_view name) const {
    const auto found = std::ranges::find(parameters, name, &Parameter::name);
    return found == parameters.end() ? nullptr : &*found;
  }

 private:
  static bool is_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  }

  bool read_header(std::string_view line) {
    const std::size_t angle = line.find('>');
    if (!line.starts_with('<') || angle > 4 || !is_digits(line.substr(1, angle - 1))) return false;
    at_ = angle + 1;
    std::array<std::string_view, 6> fields;  // version, timestamp, host, application, process, message
    for (std::string_view& field : fields) {
      const std::size_t space = line.find(' ', at_);
      if (space == line.npos || space == at_) return false;
      field = line.substr(at_, space - at_);
      at_ = space + 1;
    }
    message_id = fields[5];
    return fields[0] == "1" && fields[3] == "sessionlogd" && fields[4] == "-";
  }

  // Moves behind the elements; ours must be the last.
  bool read_elements(std::string_view line) {
    bool is_ours = false;
    while (at_ < line.size() && line[at_] == '[') {
      const std::optional<std::string_view> id = take_name(line, at_ + 1);
      if (!id) return false;
      is_ours = *id == kOurs;
      at_ += 1 + id->size();
      parameters.clear();
      if (is_ours) before = line.substr(0, at_);
      while (at_ < line.size() && line[at_] == ' ') {
        const std::optional<Parameter> parameter = take_parameter(line);
        if (!parameter) return false;
        if (!is_ours) continue;
        if (find(parameter->name) != nullptr || parameters.size() == kMostParameters) return false;
        parameters.push_back(*parameter);
      }
      if (at_ == line.size() || line[at_] != ']') return false;
      ++at_;
    }
    return is_ours;
  }

  static std::optional<std::string_view> take_name(std::string_view line, std::size_t at) {
    const std::size_t end = std::min(line.find_first_of(" =]\"", at), line.size());
    return end == at ? std::nullopt : std::optional(line.substr(at, end - at));
  }

  std::optional<Parameter> take_parameter(std::string_view line) {
    const std::optional<std::string_view> name = take_name(line, at_ + 1);
    if (!name) return std::nullopt;
    at_ += 1 + name->size();
    if (line.substr(at_, 2) != "=\"") return std::nullopt;
    at_ += 2;
    const std::size_t value = at_;
    for (;;) {
      at_ = line.find_first_of("\"\\]", at_);
      if (at_ == line.npos || line[at_] == ']') return std::nullopt;
      if (line[at_] == '"') break;
      if (at_ + 1 == line.size() || ParameterRules::kEscaped.find(line[at_ + 1]) == std::string_view::npos)
        return std::nullopt;
      at_ += 2;
    }
    ++at_;
    return Parameter{*name, line.substr(value, at_ - 1 - value)};
  }

  // Of exactly as many bytes as our last parameter says.
  bool read_message(std::string_view line) {
    if (parameters.empty() || parameters.back().name != "bytes") return false;
    const std::string_view digits = parameters.back().value;
    std::size_t bytes = 0;
    const char* end = digits.data() + digits.size();
    const auto read = std::from_chars(digits.data(), end, bytes);
    if (!is_digits(digits) || read.ec != std::errc{} || read.ptr != end) return false;
    if (bytes == 0) return at_ == line.size();
    if (at_ == line.size() || line[at_] != ' ') return false;
    message = line.substr(at_ + 1);
    return message.size() == bytes;
  }

  std::size_t at_ = 0;
};

class Rfc5424Reader : public LineReader {
 public:
  std::optional<WrittenEvent> read(std::string_view line) override {
    if (!line_.read(line)) return std::nullopt;
    texts_.clear();
    texts_.reserve(line.size());  // no view moves
    WrittenEvent event;
    const bool identified = read_identity(raw("id"), raw("hash"), event.entry) && !raw("source").empty() &&
                            line_.find("session_id") != nullptr;
    if (!identified) return std::nullopt;
    event.source_name = text("source", Breaks::kNone);
    event.entry.source_id = line_.find("source_id") != nullptr ? text("source_id", Breaks::kNone) : event.source_name;
    event.entry.session_id = text("session_id", Breaks::kNone);
    if (line_.find("log_time") != nullptr && line_.message_id != "error") event.entry.log_time = read_time(raw("time"));
    event.change = change_of(raw("change"));
    if (line_.find("error") == nullptr)
      event.message = without_escapes(line_.message, Escapes::kNone, Breaks::kSpelled);
    event.log_time = text("log_time", Breaks::kSpelled);
    event.status = text("status", Breaks::kSpelled);
    event.duration = text("duration", Breaks::kSpelled);
    event.resource_id = text("resource_id", Breaks::kSpelled);
    event.extra = text("extra", Breaks::kSpelled);
    event.original = text("original", Breaks::kSpelled);
    event.created = raw("created");
    event.entry.read_at = read_time(event.created);
    event.start = raw("start");
    return event;
  }

  void shrink() override {
    line_ = {};
    texts_ = {};
  }

 private:
  enum class Escapes { kNone, kParameter };
  // Whether "\n" and "\r" stand for the ends of lines. What identifies an event has none: there they are themselves.
  enum class Breaks { kNone, kSpelled };

  std::string_view raw(std::string_view name) const {
    const Parameter* parameter = line_.find(name);
    return parameter != nullptr ? parameter->value : std::string_view();
  }

  std::string_view text(std::string_view name, Breaks breaks) {
    return without_escapes(raw(name), Escapes::kParameter, breaks);
  }

  std::string_view without_escapes(std::string_view value, Escapes escapes, Breaks breaks) {
    if (value.find('\\') == value.npos) return value;
    const std::size_t begin = texts_.size();
    const auto take = [&](std::size_t& at) {
      if (escapes == Escapes::kParameter && value[at] == '\\') ++at;
      return value[at++];
    };
    for (std::size_t at = 0; at < value.size();) {
      const char c = take(at);
      const char next = at < value.size() ? value[at] : '\0';
      if (c == '\\' && breaks == Breaks::kSpelled && (next == 'n' || next == 'r')) {
        texts_ += next == 'n' ? '\n' : '\r';
        ++at;
      } else {
        texts_ += c;
      }
    }
    return std::string_view(texts_).substr(begin);
  }

  SyslogLine line_;
  std::string texts_;  // without escapes
};

// What an entry says, in the order in which it is missed least; before them `extra` goes whole.
constexpr std::string_view kMessage = "";
constexpr std::string_view kCutInTurn[] = {"original", kMessage, "error",   "resource_id",
                                           "duration", "status", "log_time"};

// Before which the length that the line had is written.
constexpr std::string_view kBehindTheMark[] = {"extra", "original", "bytes"};

std::string cut_rfc5424(std::string_view line, std::size_t limit) {
  SyslogLine cut;
  if (!cut.read(line)) return std::string(line);
  const std::string mark = fmt::format(R"( truncated="{}")", line.size());
  std::size_t size = line.size() + mark.size();  // `bytes` gets no longer
  const auto shorten = [&](std::string_view& text) {
    const std::size_t kept = kept_size(text, size - std::min(size, limit));
    size -= text.size() - kept;
    text = text.substr(0, kept);
  };

  if (const Parameter* extra = cut.find("extra"); extra != nullptr && size > limit) {
    size -= extra->name.size() + extra->value.size() + 4;
    cut.parameters.erase(cut.parameters.begin() + (extra - cut.parameters.data()));
  }
  for (const std::string_view name : kCutInTurn) {
    if (name == kMessage) {
      shorten(cut.message);
    } else if (const auto found = std::ranges::find(cut.parameters, name, &Parameter::name);
               found != cut.parameters.end()) {
      shorten(found->value);
    }
  }
  const std::string bytes = std::to_string(cut.message.size());
  cut.parameters.back().value = bytes;

  std::string out(cut.before);
  out.reserve(size);
  bool marked = false;
  for (const Parameter& parameter : cut.parameters) {
    if (!marked && std::ranges::find(kBehindTheMark, parameter.name) != std::end(kBehindTheMark)) {
      out += mark;
      marked = true;
    }
    out += ' ';
    out += parameter.name;
    out += "=\"";
    out += parameter.value;
    out += '"';
  }
  out += ']';
  if (!cut.message.empty()) out += ' ';
  out += cut.message;
  return out;
}

}  // namespace

constinit const Format kRfc5424Format{
    .name = "rfc5424",
    .content_type = "text/plain; charset=utf-8",
    .opening = "<",
    .encoder = [](const SourceSettings& source, const SinkSettings& sink, std::string_view, std::string_view version)
        -> std::unique_ptr<Encoder> { return std::make_unique<Rfc5424Encoder>(source, sink, version); },
    .reader = []() -> std::unique_ptr<LineReader> { return std::make_unique<Rfc5424Reader>(); },
    .cut = cut_rfc5424,
    .has_facility = true,
    .for_syslog = true,
    .longest_label = 32,
};

}  // namespace sessionlogd
