#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backend/kernel/gpu_places.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/event.hpp"

namespace gpukeeper {

/// Dumps of a GPU's state that its driver left after an error, for as long as the kernel keeps them (five minutes:
/// drivers/base/devcoredump.c). Wireless cards leave such dumps too; those are not ours.
///
/// Only the folder is looked at: reading a dump's data is the user's choice, and it may be large.
class DevCoredumps final : public EventSource {
 public:
  /// Both must outlive it.
  DevCoredumps(const Files& files, const Clock& clock) : files_(files), clock_(clock), places_(files, clock) {}

  std::string_view name() const override { return "device core dumps"; }
  /// Errors: none: a kernel without such dumps has none to report.
  Result<std::vector<DeviceEvent>> take_events() override;

 private:
  const Files& files_;
  const Clock& clock_;
  GpuPlaces places_;
  std::set<std::string> seen_;  // of those that are there
};

}  // namespace gpukeeper
