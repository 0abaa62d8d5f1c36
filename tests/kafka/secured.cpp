#include "tests/kafka/secured.h"

#include <fmt/format.h>

#include <stdexcept>

namespace sessionlogd::test {
namespace {

constexpr const char* kSecurity = R"(authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
ssl.keystore.type=PEM
ssl.keystore.location={0}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={0}/client.crt
listener.name.certificate.ssl.client.auth=required
listener.name.password.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.password.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.password.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_{1}="{2}";
)";

}  // namespace

SecuredCluster::SecuredCluster() {
  make_certificate("broker", "/CN=broker");
  make_certificate("client", fmt::format("/CN={}", kUser));
  place_.write("broker.pem", read_text(place_ / "broker.key") + read_text(place_ / "broker.crt"));
  cluster_.emplace(ClusterSettings{
      .properties = fmt::format(kSecurity, place_.directory().string(), kUser, kPassword),
      .listeners = {{"PASSWORD", "SASL_SSL"}, {"CERTIFICATE", "SSL"}},
      .storage = {"--add-scram", fmt::format("SCRAM-SHA-512=[name={},password={}]", kUser, kPassword)}});
}

// Each is its own authority.
void SecuredCluster::make_certificate(const std::string& name, const std::string& subject) {
  Child openssl = place_.start_program({"/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", subject, "-addext",
                                        "subjectAltName=IP:127.0.0.1", "-keyout", (place_ / (name + ".key")).string(),
                                        "-out", (place_ / (name + ".crt")).string()});
  if (openssl.wait() != 0) throw std::runtime_error("openssl: " + openssl.err());
}

void SecuredCluster::change_password(const std::string& from, const std::string& to) {
  cluster_->kill(0);
  cluster_->reconfigure(from, to);
  cluster_->restart(0);
  cluster_->wait_ready();
}

}  // namespace sessionlogd::test
