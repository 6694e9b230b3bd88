#include "format/human.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

std::tm broken_down(std::chrono::seconds since_epoch) {
  const std::time_t time = since_epoch.count();
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return parts;
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
  const auto scaled = [&](int shift) { return static_cast<double>(bytes) / static_cast<double>(1ull << shift); };
  if (bytes >= 1ull << 40) return fmt::format("{:.1f} TiB", scaled(40));
  if (bytes >= 1ull << 30) return fmt::format("{:.1f} GiB", scaled(30));
  if (bytes >= 1ull << 20 || bytes == 0) return fmt::format("{:.0f} MiB", scaled(20));
  return fmt::format("{:.0f} KiB", std::ceil(scaled(10)));
}

std::string local_time(WallTime time, std::chrono::seconds utc_offset) {
  const std::tm t = broken_down(std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()) + utc_offset);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday, t.tm_hour,
                     t.tm_min, t.tm_sec);
}

std::string age_text(std::chrono::nanoseconds age) {
  const auto seconds = std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count(), 0);
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 120 * 60) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

}  // namespace gpukeeper
