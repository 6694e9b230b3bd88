#include "reclaim/idle_watch.hpp"

#include <utility>

namespace gpukeeper::reclaim {
namespace {

constexpr Percent kNoLoad{0.5};  // drivers give whole percents

}  // namespace

void IdleWatch::look(const Sight& sight) {
  std::map<Key, MonotonicTime> now;
  for (const SeenProcess& process : sight.processes) {
    if (!process.load) continue;
    const auto known = busy_at_.find(key(process));
    const bool idle = *process.load < kNoLoad && known != busy_at_.end();
    now.emplace(key(process), idle ? known->second : sight.taken);
  }
  busy_at_ = std::move(now);
  now_ = sight.taken;
}

std::optional<std::chrono::nanoseconds> IdleWatch::idle_for(const SeenProcess& process) const {
  const auto known = busy_at_.find(key(process));
  if (known == busy_at_.end()) return std::nullopt;
  return now_ - known->second;
}

}  // namespace gpukeeper::reclaim
