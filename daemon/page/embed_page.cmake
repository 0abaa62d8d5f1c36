# Writes OUTPUT, a C++ source with the text of the page INPUT. Run with cmake -P.
cmake_minimum_required(VERSION 3.25)
file(READ "${INPUT}" html)
file(WRITE "${OUTPUT}" "// Written by daemon/page/embed_page.cmake from daemon/page/index.html.
#include \"daemon/page/page.h\"

namespace sessionlogd {

std::string page_html(std::string_view nonce) {
  static constexpr std::string_view kMark = \"@NONCE@\";
  std::string html = R\"page(${html})page\";
  for (std::size_t at = html.find(kMark); at != html.npos; at = html.find(kMark, at)) html.replace(at, kMark.size(), nonce);
  return html;
}

}  // namespace sessionlogd
")
