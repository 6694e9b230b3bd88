#include "cli/version.hpp"

#include <fmt/format.h>

#include "format/json_text.hpp"

namespace gpukeeper::cli {
namespace {

// GPUKEEPER_VERSION and GPUKEEPER_COMMIT come from CMakeLists.txt; the commit is empty when it was not known.
constexpr std::string_view kVersion = GPUKEEPER_VERSION;
constexpr std::string_view kCommit = GPUKEEPER_COMMIT;

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#elif defined(__GNUC__)
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#else
  return "an unknown compiler";
#endif
}

}  // namespace

std::string_view program_version() {
  return kVersion;
}

Exit version(bool json, Context& context) {
  if (json) {
    const Json document = {{"schema", "gpukeeper.version/1"},
                           {"version", kVersion},
                           {"commit", text_or_null(std::string(kCommit))},
                           {"compiler", compiler()}};
    return print(context, dump(document, true) + "\n");
  }
  std::string text = fmt::format("gpukeeper {}", kVersion);
  if (!kCommit.empty()) text += fmt::format(" ({})", kCommit);
  return print(context, text + fmt::format(", built with {}\n", compiler()));
}

}  // namespace gpukeeper::cli
