// /proc/stat and /proc/meminfo, of this machine or of a container that makes its own up.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "proc/host_load.hpp"

using namespace gpukeeper;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(parse_cpu_times(text));
  const auto used = parse_memory_used(text);
  if (used && !(used->value() >= 0 && used->value() <= 100)) std::abort();
  return 0;
}
