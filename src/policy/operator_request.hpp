#pragma once

#include <optional>
#include <string>

#include "core/clock.hpp"
#include "device/device.hpp"

namespace gpukeeper {

/// A person's wish that work be slower.
struct OperatorRequest {
  std::optional<DeviceId> device;  ///< nothing: every device
  double multiplier = 0.5;         ///< 0.8, 0.5 or 0
  std::string who;                 ///< "root"
  WallTime since{};
  std::optional<MonotonicTime> until;  ///< nothing: until it is cleared

  friend bool operator==(const OperatorRequest&, const OperatorRequest&) = default;
};

}  // namespace gpukeeper
