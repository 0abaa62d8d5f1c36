// A daemon's admin address as others see it: raw HTTP, and Prometheus' text taken apart.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tests/daemon/held_port.h"
#include "tests/daemon/workplace.h"

namespace sessionlogd::test {

// The admin address of a test's daemon: a Unix socket, which is free whatever else runs.
inline constexpr const char* kAdminSocket = "admin.sock";

// Puts it, or a port of loopback, into the configuration, in place of none.
void open_admin_address(const Workplace& place);
HeldPort open_admin_port(const Workplace& place);

// Whatever is answered to these bytes until the other side ends; "" when nobody listens.
std::string ask(const Workplace& place, std::string_view bytes);
std::string ask_port(unsigned short port, std::string_view bytes);

// A GET's whole response, and its body alone.
std::string get(const Workplace& place, std::string_view path);
std::string get_body(const Workplace& place, std::string_view path);

// Samples by name and labels, as they are written: R"(sessionlogd_polls_total{source="a",result="new"})".
using Samples = std::map<std::string, double>;
Samples samples_of(const std::string& metrics);

// The sum over all samples whose name and labels hold both.
double sum_of(const Samples& samples, std::string_view name, std::string_view label = "");

}  // namespace sessionlogd::test
