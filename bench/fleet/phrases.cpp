#include "bench/fleet/phrases.h"

#include <fmt/format.h>

namespace fleet {

namespace {

constexpr std::string_view kPlain[] = {
    "Processing ubuntu{}.",
    "Preparing the worker VM {}.",
    "Snapshot backup of 'tw-vm{}' has finished",
    "Repository backup of 'tw-vm{}' has finished",
    "Snapshot retention of 'tw-vm{}' has finished: removed 1 restore point (127 GB).",
    "FLR task 'ubuntu{}' started at 05/20/2020 21:11:59.",
    "Session finished at 05/20/2020 21:22:46 after {} items.",
    "Creating snapshot snap-{:08x} of volume vol-0a1b2c3d4e5f in region eu-central-1",
    "Waiting for the worker instance i-{:012x} to become ready",
    "Performing file level recovery operation number {}",
};

// Each holds something that a careless parser, encoder or terminal gets wrong.
constexpr std::string_view kOdd[] = {
    "Viertel vor zwölf: Sicherung {} läuft",
    "バックアップ {} が完了しました",
    "Резервная копия {} создана",
    "Done {} \xf0\x9f\x8e\x89 of \xf0\x9f\x92\xbe",
    "Cannot open \"C:\\Backup\\job{}\\disk.vhd\": access denied",
    "\x1b[31mred {}\x1b[0m alert",
    "two\nlines\tand a tab {}",
    "half an emoji {}: \xed\xa0\xbd!",
    "other half \xed\xb8\x80 of {}",
    "separators \xe2\x80\xa8 and \xe2\x80\xa9 in {}",
    "a </script> & a 'quote' in {}",
    "a\\u0041 that is no escape {}",
    "",
};

}  // namespace

std::string make_message(Random& random, std::size_t number) {
  if (random.chance(0.01)) return fmt::format("a NUL {}", number) + std::string("\0 inside", 8);
  if (random.chance(0.01)) return fmt::format("a long text {} ", number) + std::string(3000, 'x');
  const std::string_view phrase = random.chance(0.2) ? random.pick(kOdd) : random.pick(kPlain);
  return fmt::format(fmt::runtime(phrase), number);
}

std::string make_extra(Random& random) {
  switch (random.below(4)) {
    case 0:
      return R"(,"workerName":"worker-7")";
    case 1:
      return R"(,"details":{"code":17,"path":["a","b\u00e9",{}],"ratio":1.50e3})";
    case 2:
      return R"(,"percent":100,"isLast":false)";
    default:
      return R"(,"x":null,"instanceId":"i-0ab1")";
  }
}

std::string make_bad_bytes(Random& random) {
  static constexpr std::string_view kBad[] = {"\xff", "\xc0\xaf", "\x80", "\xf5 and \xfe", "\xe2\x82", "\xf0\x9f\x8e"};
  return fmt::format(" bad <{}>", random.pick(kBad));
}

std::string make_nested(std::size_t depth) {
  return R"(,"nested":)" + std::string(depth, '[') + std::string(depth, ']');
}

std::string make_big_integer(Random& random) {
  return fmt::format(R"(,"big":{}{:019}{:019})", random.chance(0.3) ? "-" : "", random.next() >> 2 | 1ull << 60,
                     random.next() >> 2);
}

std::string make_hostile(Random& random, std::string_view label, const std::string& log_time) {
  switch (random.below(6)) {
    case 0:
      return fmt::format(R"({{"status":"Success","message":"hostile without a time #{}"}})", label);
    case 1:
      return fmt::format(R"({{"logTime":1592680000,"status":"Success","message":"hostile, time as number #{}"}})",
                         label);
    case 2:
      return fmt::format(
          R"({{"logTime":"{}","status":{{"word":"Success"}},"message":"hostile, status as object #{}"}})", log_time,
          label);
    case 3:
      return fmt::format(R"({{"logTime":"yesterday, 5 o'clock","status":"Success","message":"hostile #{}"}})", label);
    case 4:
      return std::string(label);
    default:
      return fmt::format(R"("hostile string #{}")", label);
  }
}

}  // namespace fleet
