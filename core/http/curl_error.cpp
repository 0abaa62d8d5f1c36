#include "core/http/curl_error.h"

namespace sessionlogd {

CurlFault classify(CURLcode code) {
  using enum ErrorKind;
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {kTryLater, "the name cannot be resolved"};
    case CURLE_COULDNT_RESOLVE_PROXY:
      return {kTryLater, "the proxy's name cannot be resolved"};
    case CURLE_COULDNT_CONNECT:
      return {kTryLater, "cannot connect"};
    case CURLE_PROXY:
      return {kTryLater, "the proxy failed"};
    case CURLE_OPERATION_TIMEDOUT:
      return {kTryLater, "timed out"};
    case CURLE_SEND_ERROR:
      return {kTryLater, "the connection broke while sending"};
    case CURLE_RECV_ERROR:
      return {kTryLater, "the connection broke while receiving"};
    case CURLE_GOT_NOTHING:
      return {kTryLater, "the connection was closed before any response"};
    case CURLE_PARTIAL_FILE:
      return {kTryLater, "the response was truncated"};
    case CURLE_OUT_OF_MEMORY:
      return {kTryLater, "out of memory"};

    case CURLE_SSL_CONNECT_ERROR:
      return {kTryLater, "the TLS handshake failed"};
    case CURLE_SSL_CIPHER:
      return {kTryLater, "no common TLS cipher"};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {kTryLater, "the server's TLS certificate is not trusted"};
    case CURLE_SSL_ISSUER_ERROR:
      return {kTryLater, "the server's TLS certificate has the wrong issuer"};
    case CURLE_SSL_INVALIDCERTSTATUS:
      return {kTryLater, "the server's TLS certificate has a bad status"};
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return {kTryLater, "the server's TLS key is none of those in pin_sha256"};
    case CURLE_SSL_CACERT_BADFILE:
      return {kTryLater, "the file of CA certificates cannot be used"};
    case CURLE_SSL_CERTPROBLEM:
      return {kTryLater, "the client certificate cannot be used"};
    case CURLE_SSL_CLIENTCERT:
      return {kTryLater, "the server asks for a client certificate"};

    case CURLE_BAD_CONTENT_ENCODING:
      return {kBadResponse, "the response cannot be decoded"};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return {kBadResponse, "the response is not HTTP/1"};
#if LIBCURL_VERSION_NUM >= 0x080600  // limits of its own, of headers
    case CURLE_TOO_LARGE:
#endif
    case CURLE_WRITE_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_FILESIZE_EXCEEDED:
      return {kBadResponse, "the response was refused"};

    case CURLE_URL_MALFORMAT:
      return {kRefused, "the address is not a URL"};
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_UNKNOWN_OPTION:
    case CURLE_NOT_BUILT_IN:
      return {kRefused, "this libcurl cannot send such a request"};

    default:
      return {kTryLater, "the transfer failed"};
  }
}

}  // namespace sessionlogd
