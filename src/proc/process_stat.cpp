#include "proc/process_stat.hpp"

#include <array>

#include <fmt/format.h>

#include "core/text.hpp"

namespace gpukeeper {
namespace {

// Positions after the name, which is field 2: field 3 is the first of them.
constexpr std::size_t kState = 0, kParent = 1, kTerminal = 4, kFlags = 6, kUserTicks = 11, kSystemTicks = 12,
                      kStart = 19, kResident = 21, kCodeStart = 23, kStackStart = 25;

}  // namespace

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  // "1234 (name) S 1 …": the name may hold anything, so it ends at the last parenthesis.
  const auto open = text.find('(');
  const auto close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  const auto pid = parse_i64(text.substr(0, open));
  const auto fields = split(trim(text.substr(close + 1)), ' ');
  if (!pid || *pid <= 0 || fields.size() <= kResident || fields[kState].size() != 1) return std::nullopt;

  const auto parent = parse_i64(fields[kParent]);
  const auto terminal = parse_i64(fields[kTerminal]);
  const auto flags = parse_u64(fields[kFlags]);
  const auto user = parse_u64(fields[kUserTicks]);
  const auto system = parse_u64(fields[kSystemTicks]);
  const auto start = parse_u64(fields[kStart]);
  const auto resident = parse_i64(fields[kResident]);
  if (!parent || !terminal || !flags || !user || !system || !start || !resident) return std::nullopt;

  ProcessStat stat;
  stat.pid = *pid;
  stat.name = text.substr(open + 1, close - open - 1);
  stat.state = fields[kState].front();
  stat.parent = *parent;
  stat.terminal = static_cast<std::uint32_t>(*terminal);
  stat.flags = *flags;
  stat.cpu_ticks = *user + *system;
  stat.start_ticks = *start;
  stat.resident_pages = *resident > 0 ? static_cast<std::uint64_t>(*resident) : 0;
  for (std::size_t i = kCodeStart; i <= kStackStart && i < fields.size(); ++i) (stat.image += fields[i]) += ' ';
  return stat;
}

std::string terminal_name(std::uint32_t device) {
  if (device == 0) return {};
  // new_encode_dev of include/linux/kdev_t.h; majors from Documentation/admin-guide/devices.txt.
  const std::uint32_t major = device >> 8 & 0xfffu;
  const std::uint32_t minor = (device & 0xffu) | (device >> 12 & 0xfff00u);
  if (major >= 136 && major <= 143) return fmt::format("pts/{}", minor + (major - 136) * 256);
  if (major == 4) return minor < 64 ? fmt::format("tty{}", minor) : fmt::format("ttyS{}", minor - 64);
  if (major == 5 && minor == 1) return "console";
  if (major == 166) return fmt::format("ttyACM{}", minor);
  if (major == 188) return fmt::format("ttyUSB{}", minor);
  if (major == 229) return fmt::format("hvc{}", minor);
  return fmt::format("{}:{}", major, minor);
}

}  // namespace gpukeeper
