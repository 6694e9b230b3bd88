#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace gpukeeper::reclaim {

/// The section `reclaim` of the configuration. What harms anybody must be named here, or is not done.
struct ReclaimSettings {
  bool enabled = false;            ///< whether it is done by itself, every `interval`
  double memory_threshold = 0.85;  ///< of a device's memory: above it, not at it, memory is wanted back
  std::chrono::nanoseconds interval = std::chrono::seconds(300);
  std::chrono::nanoseconds ask_timeout = std::chrono::seconds(10);  ///< for a holder's answer
  std::chrono::nanoseconds idle_after = std::chrono::seconds(600);  ///< without load a process counts as idle
  std::vector<std::string> holder_hosts;        ///< globs: hosts beside this machine whose holders may be asked
  std::vector<std::string> suspend_services;    ///< globs: whose processes may be suspended by cuda-checkpoint
  std::vector<std::string> terminate_services;  ///< globs: whose leases' processes may be terminated
  std::vector<std::string> terminate_idle;      ///< globs: names of idle processes without a lease that may be, too
  std::chrono::nanoseconds terminate_grace = std::chrono::seconds(10);  ///< from SIGTERM to SIGKILL

  friend bool operator==(const ReclaimSettings&, const ReclaimSettings&) = default;
};

/// Whether a name of a service is among the globs: "-" and "_" are the same there.
bool names_service(const std::vector<std::string>& globs, std::string_view service);

/// What is wrong with them as a whole, a sentence each that begins with the key.
std::vector<std::string> check(const ReclaimSettings& settings);

}  // namespace gpukeeper::reclaim
