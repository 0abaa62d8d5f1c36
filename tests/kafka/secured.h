// A broker that lets nobody in without credentials and lets them do only what its access rules (ACLs) say. Its plain
// listener stays for the tests' own: there everybody is the super user.
#pragma once

#include <optional>
#include <string>

#include "tests/daemon/workplace.h"
#include "tests/kafka/broker.h"

namespace sessionlogd::test {

class SecuredCluster {
 public:
  // Its listeners: PASSWORD (SASL_SSL, by PLAIN or SCRAM-SHA-512) and CERTIFICATE (SSL, the client's). On the first the
  // user is kUser, on the other the certificate is it.
  static constexpr const char* kUser = "sessionlogd";
  static constexpr const char* kPassword = "correct-horse";

  SecuredCluster();

  Cluster& cluster() { return *cluster_; }
  std::string authority() const { return (place_ / "broker.crt").string(); }  // what clients trust
  std::string client_certificate() const { return (place_ / "client.crt").string(); }
  std::string client_key() const { return (place_ / "client.key").string(); }

  // The password that PLAIN takes, from now on: restarts the broker.
  void change_password(const std::string& from, const std::string& to);

 private:
  void make_certificate(const std::string& name, const std::string& subject);

  Workplace place_;
  std::optional<Cluster> cluster_;
};

}  // namespace sessionlogd::test
