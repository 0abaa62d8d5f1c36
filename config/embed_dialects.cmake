# Writes OUTPUT, a C++ source with the text of every dialect in DIALECTS (paths, separated by commas). Run with cmake -P.
string(REPLACE "," ";" files "${DIALECTS}")
set(entries "")
foreach(file IN LISTS files)
  get_filename_component(name "${file}" NAME_WE)
  file(READ "${file}" toml)
  string(APPEND entries "      {\"${name}\", R\"dialect(${toml})dialect\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Written by config/embed_dialects.cmake from config/dialects/.
#include \"config/load.h\"

namespace sessionlogd {

const std::vector<BuiltInDialect>& built_in_dialects() {
  static const std::vector<BuiltInDialect> dialects{
${entries}  };
  return dialects;
}

}  // namespace sessionlogd
")
