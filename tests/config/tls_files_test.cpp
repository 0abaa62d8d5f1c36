#include "config/tls_files.h"

#include <gtest/gtest.h>

#include "tests/config/config_files.h"
#include "tests/support/test_server.h"

namespace sessionlogd {
namespace {

using Lines = std::vector<std::string>;

class TlsFiles : public testing::Test {
 protected:
  TlsFiles() {
    files_.write("cert", certificate_.certificate_pem);
    files_.write("key", certificate_.key_pem);
    std::filesystem::permissions(files_.directory() / "key", std::filesystem::perms::owner_read);
    files_.write("other-key", other_.key_pem);
    files_.write("both", certificate_.key_pem + certificate_.certificate_pem);
    files_.write("text", "no PEM\n");
    files_.write("empty", "");
    files_.write("cut", certificate_.certificate_pem.substr(0, 100));
  }

  std::string at(const std::string& name) const { return name.empty() ? name : (files_.directory() / name).string(); }
  Lines faults(const std::string& ca, const std::string& cert, const std::string& key) const {
    Lines out;
    for (const TlsFileFault& fault : find_tls_file_faults(at(ca), at(cert), at(key))) {
      out.push_back(std::string(fault.key) + ": " + fault.why);
    }
    return out;
  }

  test::Certificate certificate_{"DNS:appliance.example"}, other_{"DNS:other.example"};
  ConfigFiles files_;
};

TEST_F(TlsFiles, AreTakenWhenTheyBelongTogether) {
  EXPECT_EQ(faults("", "", ""), Lines{});
  EXPECT_EQ(faults("cert", "", ""), Lines{});
  EXPECT_EQ(faults("cert", "cert", "key"), Lines{});
  EXPECT_EQ(faults("", "both", ""), Lines{});
}

TEST_F(TlsFiles, AreRefusedByKey) {
  for (const char* no_certificate : {"text", "empty", "cut", "key"}) {
    EXPECT_EQ(faults(no_certificate, "", "").size(), 1u) << no_certificate;
    EXPECT_TRUE(faults(no_certificate, "", "").front().starts_with("ca_file: ")) << no_certificate;
    EXPECT_TRUE(faults("", no_certificate, "key").front().starts_with("cert_file: ")) << no_certificate;
  }
  EXPECT_EQ(faults("text", "", ""), Lines{"ca_file: it holds no certificate in PEM form"});
  EXPECT_EQ(faults("", "cert", "other-key"), Lines{"key_file: its key is not that of the certificate"});
  EXPECT_EQ(faults("", "cert", ""), Lines{"key_file: it holds nothing of this kind in PEM form"});
  EXPECT_EQ(faults("", "", "key"), Lines{"key_file: there is no cert_file in addition to it"});
  EXPECT_EQ(faults("text", "text", "key").size(), 2u) << "all of them are said";
}

TEST_F(TlsFiles, OfASourceAreJudgedWhenItIsLoaded) {
  const std::string fault =
      "sessionlogd.toml:7: source[1].tls.ca_file: found a file that cannot be used: it holds no "
      "certificate in PEM form";
  EXPECT_EQ(files_.mistakes(files_.source("a", "tls = { ca_file = \"" + at("text") + "\" }")), Lines{fault});
  EXPECT_EQ(files_.mistakes(files_.source(
                "a", "tls = { cert_file = \"" + at("cert") + "\", key_file = \"" + at("other-key") + "\" }")),
            Lines{"sessionlogd.toml:7: source[1].tls.key_file: found a file that cannot be used: its key is not that "
                  "of the certificate"});
  EXPECT_EQ(files_
                .settings(files_.source(
                    "a", "tls = { cert_file = \"" + at("cert") + "\", key_file = \"" + at("key") + "\" }"))
                .warnings,
            Lines{});
}

TEST_F(TlsFiles, WithAKeyThatAnyoneMayReadAreWarnedAbout) {
  std::filesystem::permissions(files_.directory() / "key", std::filesystem::perms{0444});
  const Lines warnings = files_
                             .settings(files_.source(
                                 "a", "tls = { cert_file = \"" + at("cert") + "\", key_file = \"" + at("key") + "\" }"))
                             .warnings;
  EXPECT_EQ(warnings, Lines{"source \"a\": file:" + at("key") +
                            " may be read by every user of this host (mode 0444): anyone there can log in with it; "
                            "chmod o-r it"});
}

}  // namespace
}  // namespace sessionlogd
