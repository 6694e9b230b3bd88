#include "telemetry/self_cost.hpp"

#include <array>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

#include "core/text.hpp"

namespace gpukeeper {

SelfMeter::SelfMeter() : statm_(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}

SelfMeter::~SelfMeter() {
  if (statm_ >= 0) ::close(statm_);
}

ProcessCost SelfMeter::read() const {
  ProcessCost cost;
  timespec cpu{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu) == 0) {
    cost.cpu = std::chrono::seconds(cpu.tv_sec) + std::chrono::nanoseconds(cpu.tv_nsec);
  }
  std::array<char, 128> text{};
  const auto got = statm_ < 0 ? -1 : ::pread(statm_, text.data(), text.size(), 0);
  if (got > 0) {
    // "size resident shared …" in pages, proc_pid_statm(5)
    const auto fields = split(std::string_view(text.data(), static_cast<std::size_t>(got)), ' ');
    const auto pages = fields.size() > 1 ? parse_u64(fields[1]) : std::nullopt;
    const auto page_size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    if (pages) cost.resident = Bytes(*pages * page_size);
  }
  return cost;
}

}  // namespace gpukeeper
