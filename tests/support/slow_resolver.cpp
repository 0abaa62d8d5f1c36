// Preloaded into a program under test: names that begin with "slow." take two seconds to be found missing, as with a
// name server that does not answer.
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <cstring>

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  using Original = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto original = reinterpret_cast<Original>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || std::strncmp(node, "slow.", 5) != 0) return original(node, service, hints, result);
  ::sleep(2);
  return EAI_AGAIN;
}
