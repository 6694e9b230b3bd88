#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gpukeeper/gpukeeper.h"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::embed {

/// A snapshot and what C is shown of it, made once for all who read it.
struct View {
  std::shared_ptr<const Snapshot> snapshot = std::make_shared<const Snapshot>();
  std::vector<gk_reading> readings = {};  ///< of the physical devices, in their order

  /// The one with that index; null when there is none.
  const gk_reading* find(std::uint32_t index) const;
};

std::shared_ptr<const View> view_of(std::shared_ptr<const Snapshot> snapshot);

/// How fast work may go: on the device with that index, or on all for GK_ALL_DEVICES. Full speed and nothing to say
/// where there is no device. Nothing when there is no such index.
bool fill_throttling(const Snapshot& snapshot, std::int32_t index, gk_throttling& throttling);

/// The same word in C.
std::int32_t state_in_c(State state);

}  // namespace gpukeeper::embed
