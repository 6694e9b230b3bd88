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

std::string_view class_text(ProcessClass kind) {
  switch (kind) {
    case ProcessClass::unknown: return "";
    case ProcessClass::mining: return "miner?";
    case ProcessClass::ml_training: return "ML training";
    case ProcessClass::ml_inference: return "ML inference";
    case ProcessClass::ml: return "ML";
    case ProcessClass::video: return "video";
    case ProcessClass::gaming: return "game";
    case ProcessClass::desktop: return "desktop";
  }
  return "";
}

std::string place_text(const ProcessPlace& place) {
  constexpr std::size_t kShortId = 12;  // as container runtimes print it
  constexpr std::size_t kShortUid = 8;  // up to a uid's first dash
  if (place.slurm_job) return fmt::format("job {}", *place.slurm_job);
  if (place.pod) return fmt::format("pod {}", pod_title(*place.pod));
  if (place.pod_uid) return fmt::format("pod {}", place.pod_uid->substr(0, kShortUid));
  if (place.container) {
    const auto& [runtime, id] = *place.container;
    return fmt::format("{} {}", runtime == "unknown" ? "container" : runtime, id.substr(0, kShortId));
  }
  return place.unit.value_or("");
}

std::string age_text(std::chrono::nanoseconds age) {
  const auto seconds = std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count(), 0);
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 120 * 60) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

}  // namespace gpukeeper
