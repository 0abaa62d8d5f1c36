// Preloaded into a program under test: names that begin with "slow." are looked for, as with a name server that does
// not answer, until the file is there that SLOW_RESOLVER_UNTIL names; then they are missing.
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  using Original = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto original = reinterpret_cast<Original>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || std::strncmp(node, "slow.", 5) != 0) return original(node, service, hints, result);
  while (::access(std::getenv("SLOW_RESOLVER_UNTIL"), F_OK) != 0) ::usleep(10'000);
  return EAI_AGAIN;
}
