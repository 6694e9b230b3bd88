#include <vector>

#include "site/site.hpp"

// The packed files themselves, put into the binary by the assembler, as classify/built_in_rules.cpp does. What
// cmake/build_site.cmake has written names them, a line each, GPUKEEPER_SITE_FILE(number, "path", "hash", size), or
// says why there are none. GPUKEEPER_SITE is the folder of it.
#define GPUKEEPER_SITE_LEFT_OUT(why)
#define GPUKEEPER_SITE_FILE(number, path, hash, size)  \
  __asm__(                                             \
      ".pushsection .rodata\n"                         \
      "gpukeeper_site_" #number                        \
      "_begin:\n"                                      \
      ".incbin \"" GPUKEEPER_SITE "/" #number          \
      ".gz\"\n"                                        \
      "gpukeeper_site_" #number                        \
      "_end:\n"                                        \
      ".byte 0\n"                                      \
      ".popsection\n");                                \
  extern "C" {                                         \
  extern const char gpukeeper_site_##number##_begin[]; \
  extern const char gpukeeper_site_##number##_end[];   \
  }
#include "site_files.inc"
#undef GPUKEEPER_SITE_FILE

namespace gpukeeper::site {
namespace {

#define GPUKEEPER_SITE_FILE(number, path, hash, size) \
  File{path, type_of(path), hash, {gpukeeper_site_##number##_begin, gpukeeper_site_##number##_end}, size},
std::vector<File> files() {
  return {
#include "site_files.inc"
  };
}
#undef GPUKEEPER_SITE_FILE
#undef GPUKEEPER_SITE_LEFT_OUT

#define GPUKEEPER_SITE_FILE(number, path, hash, size)
#define GPUKEEPER_SITE_LEFT_OUT(why) why
constexpr std::string_view kLeftOut =
#include "site_files.inc"
    "";

}  // namespace

const Site& built_in() {
  static const std::vector<File> kept = files();
  static const Site site{kept, kLeftOut};
  return site;
}

}  // namespace gpukeeper::site
