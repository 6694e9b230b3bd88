#include "proc/host_load.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

// The columns of a cpu line, as proc_stat(5) names them. Older kernels have fewer of them.
enum Column : std::size_t { user, nice, system, idle, iowait, irq, softirq, steal, kColumns };

// "MemTotal:       32768000 kB"
std::optional<double> kib_of(std::string_view meminfo, std::string_view name) {
  for (const std::string_view line : lines(meminfo)) {
    if (line.starts_with(name) && line.substr(name.size()).starts_with(':')) {
      return leading_number(trim(line.substr(name.size() + 1)));
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<CpuTimes> parse_cpu_times(std::string_view stat) {
  const std::string_view line = stat.substr(0, stat.find('\n'));
  constexpr std::string_view kName = "cpu ";
  if (!line.starts_with(kName)) return std::nullopt;
  std::array<std::uint64_t, kColumns> ticks{};
  std::size_t column = 0;
  for (const std::string_view word : split(line.substr(kName.size()), ' ')) {
    if (word.empty() || column == kColumns) continue;  // what follows steal is counted in user already
    const auto number = parse_u64(word);
    if (!number) return std::nullopt;
    ticks[column++] = *number;
  }
  if (column <= idle) return std::nullopt;
  CpuTimes result;
  for (const std::uint64_t each : ticks) result.total += each;
  result.busy = result.total - ticks[idle] - ticks[iowait];
  return result;
}

std::optional<Percent> parse_memory_used(std::string_view meminfo) {
  const auto total = kib_of(meminfo, "MemTotal");
  const auto available = kib_of(meminfo, "MemAvailable");
  if (!total || !available || !(*total > 0)) return std::nullopt;
  return Percent(std::clamp(100 * (1 - *available / *total), 0.0, 100.0));
}

const HostLoad& HostLoadReader::load(MonotonicTime now) {
  if (machine_ && (!read_at_ || now - *read_at_ >= kPeriod)) {
    read_at_ = now;
    read();
  }
  return load_;
}

void HostLoadReader::read() {
  load_ = {};
  const auto stat = machine_->read("/proc/stat");
  const auto now = stat ? parse_cpu_times(*stat) : std::nullopt;
  // A counter that goes back (a guest that was moved, idle time on some kernels) tells nothing this once.
  if (now && before_ && now->total > before_->total && now->busy >= before_->busy) {
    const double share =
        static_cast<double>(now->busy - before_->busy) / static_cast<double>(now->total - before_->total);
    load_.cpu = Percent(std::min(100.0, 100 * share));
  }
  before_ = now;
  if (const auto meminfo = machine_->read("/proc/meminfo")) load_.memory_used = parse_memory_used(*meminfo);
}

}  // namespace gpukeeper
