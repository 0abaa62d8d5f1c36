#include "config/url.h"

#include <gtest/gtest.h>

#include "config/time_zone.h"
#include "config/value_error.h"

namespace sessionlogd {
namespace {

std::string url_refusal(std::string_view text) {
  try {
    (void)parse_url(text);
  } catch (const ValueError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Url, TakesSchemeHostAndPort) {
  struct {
    const char *text, *normal, *host;
    bool encrypted;
  } const table[] = {{"https://10.0.0.5:11005", "https://10.0.0.5:11005", "10.0.0.5", true},
                     {"https://appliance.example.com/", "https://appliance.example.com", "appliance.example.com", true},
                     {"http://localhost:8080", "http://localhost:8080", "localhost", false},
                     {"https://[2001:db8::1]:11005/", "https://[2001:db8::1]:11005", "2001:db8::1", true},
                     {"http://[::1]", "http://[::1]", "::1", false}};
  for (const auto& row : table) {
    const Url url = parse_url(row.text);
    EXPECT_EQ(url.text, row.normal);
    EXPECT_EQ(url.host, row.host);
    EXPECT_EQ(url.encrypted, row.encrypted);
  }
}

TEST(Url, HasOneSpellingForAllOfAnAddress) {
  const std::pair<const char*, const char*> table[] = {
      {"https://10.0.0.5:11005", "https://10.0.0.5:11005"},
      {"https://Appliance.EXAMPLE.com/", "https://appliance.example.com"},
      {"https://appliance.example.com.:443", "https://appliance.example.com"},
      {"https://appliance.example.com:0443", "https://appliance.example.com"},
      {"https://appliance.example.com:80", "https://appliance.example.com:80"},
      {"http://LOCALHOST:80", "http://localhost"},
      {"http://localhost:443", "http://localhost:443"},
      {"http://[2001:DB8:0:0::1]:08080", "http://[2001:db8::1]:8080"}};
  for (const auto& [text, canonical] : table) EXPECT_EQ(canonical_url(text), canonical) << text;
}

TEST(Url, SaysWhatItRefuses) {
  const std::pair<const char*, const char*> table[] = {
      {"10.0.0.5",
       R"(found "10.0.0.5", expected a URL like "https://10.0.0.5:11005": http or https, a host, a port or none)"},
      {"ftp://h",
       R"(found "ftp://h", expected a URL like "https://10.0.0.5:11005": http or https, a host, a port or none)"},
      {"https://h/api/v1", R"(found "https://h/api/v1", expected a URL without a path)"},
      {"https://h//", R"(found "https://h//", expected a URL without a path)"},
      {"https://h#top", R"(found "https://h#top", expected a URL without query and fragment)"},
      {"https://", R"(found "https://", expected a host name, an IPv4 address, or an IPv6 address in brackets)"},
      {"https://a b", R"(found "https://a b", expected a host name, an IPv4 address, or an IPv6 address in brackets)"},
      {"https://h\r\nX: y",
       R"(found "https://h\x0d\x0aX: y", expected a host name, an IPv4 address, or an IPv6 address in brackets)"},
      {"https://::1", R"(found "https://::1", expected a host name, an IPv4 address, or an IPv6 address in brackets)"},
      {"https://[::1", R"(found "https://[::1", expected "]" after the IPv6 address)"},
      {"https://[h]", R"(found "https://[h]", expected a host name, an IPv4 address, or an IPv6 address in brackets)"},
      {"https://h:0", R"(found "https://h:0", expected a port from 1 to 65535 after the host)"},
      {"https://h:65536", R"(found "https://h:65536", expected a port from 1 to 65535 after the host)"},
      {"https://h:", R"(found "https://h:", expected a port from 1 to 65535 after the host)"},
      {"https://[::1]x", R"(found "https://[::1]x", expected a port from 1 to 65535 after the host)"}};
  for (const auto& [text, expected] : table) EXPECT_EQ(url_refusal(text), expected);
}

TEST(Url, TakesHostsThatCanBeLookedUpOnly) {
  for (const std::string& host : {std::string("a-b_c.example"), std::string("h."), std::string("1.example"),
                                  std::string("10.0.0.5"), std::string(63, 'x')})
    EXPECT_EQ(url_refusal(("https://" + host).c_str()), "accepted") << host;
  for (const std::string& host :
       {std::string(64, 'x') + ".example", std::string("a..b"), std::string(".a"), std::string("-a"),
        std::string("a-.b"), std::string("999.1.1.1"), std::string("10.0.0"), std::string("a.1")})
    EXPECT_NE(url_refusal(("https://" + host).c_str()), "accepted") << host;
}

TEST(Url, NeverRepeatsWhatMayHoldASecret) {
  EXPECT_EQ(url_refusal("https://user:hunter2@h"),
            "found a URL (not shown), expected a URL without user name and password");
  EXPECT_EQ(url_refusal("https://h/?token=hunter2"),
            "found a URL (not shown), expected a URL without query and fragment");
}

TEST(Url, KnowsWhatStaysOnThisMachine) {
  for (const char* host : {"localhost", "LocalHost.", "a.localhost", "127.0.0.1", "127.8.9.10", "::1"})
    EXPECT_TRUE(is_loopback(host)) << host;
  for (const char* host : {"10.0.0.5", "localhost.example.com", "127.0.0.1.example.com", "::2", "0.0.0.0", ""}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

TEST(TimeZone, TakesUtcOffsetsAndZones) {
  EXPECT_EQ(parse_time_zone("UTC").fixed_offset, std::chrono::minutes{0});
  EXPECT_EQ(parse_time_zone("+02:00").fixed_offset, std::chrono::minutes{120});
  EXPECT_EQ(parse_time_zone("-09:30").fixed_offset, std::chrono::minutes{-570});
  EXPECT_EQ(parse_time_zone("Europe/Berlin").fixed_offset, std::nullopt);
  EXPECT_EQ(parse_time_zone("Europe/Berlin").name, "Europe/Berlin");
}

TEST(TimeZone, RefusesWhatIsNoZoneOfTheDatabase) {
  for (const char* text :
       {"", "utc+2", "+2:00", "+14:01", "+02:60", "2:00", "Europe", "Europe/Nowhere", "../../../etc/passwd",
        "/usr/share/zoneinfo/UTC", "Europe/../UTC", "zone.tab", "right/UTC", "posixrules", "posix/Europe/Berlin"}) {
    EXPECT_THROW((void)parse_time_zone(text), ValueError) << text;
  }
}

}  // namespace
}  // namespace sessionlogd
