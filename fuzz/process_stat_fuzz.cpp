// The line of /proc/PID/stat holds a name that its process chose.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "proc/process_stat.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto stat = gpukeeper::parse_process_stat(text)) {
    if (stat->pid <= 0 || text.find(stat->name) == std::string_view::npos) std::abort();
    static_cast<void>(gpukeeper::terminal_name(stat->terminal));
  }
  // Whatever a process calls itself, the rest of its line is read the same.
  const auto name = text.substr(0, 15);
  const auto line =
      "4711 (" + std::string(name) +
      ") R 12 4711 4711 34819 1 4194304 1 2 3 4 150 25 0 0 20 0 4 0 123456 9 512 1 94001 94002 140001 0\n";
  const auto named = gpukeeper::parse_process_stat(line);
  if (!named || named->name != name || named->pid != 4711 || named->parent != 12 || named->terminal != 34819 ||
      named->cpu_ticks != 175 || named->start_ticks != 123456 || named->resident_pages != 512) {
    std::abort();
  }
  return 0;
}
