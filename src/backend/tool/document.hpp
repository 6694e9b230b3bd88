#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "device/device.hpp"
#include "device/gpu_process.hpp"
#include "device/reading.hpp"

namespace gpukeeper {

/// A partition of a GPU as a vendor's tool printed it.
struct ToolPartition {
  Device device;
  Reading reading{Missing::not_supported};
};

/// One GPU as a vendor's tool printed it.
struct ToolGpu {
  Device device;
  Reading reading{Missing::not_supported};
  std::optional<std::string> trouble;  ///< why the tool could not read the GPU: it is lost, it answers with errors only
  Result<std::vector<GpuProcess>> processes = std::vector<GpuProcess>();  ///< merged by pid, ordered by pid
  std::size_t process_entries = 0;                                        ///< before they were merged
  std::vector<ToolPartition> partitions;
};

/// What a vendor's tool printed once, over all GPUs, in the tool's own order.
struct ToolDocument {
  std::vector<ToolGpu> gpus;
};

/// Brings the GPUs into PCI order (those without an address last, in their own order), and makes every id unique and
/// non-empty: masked recordings repeat UUIDs. A repeated or missing one becomes the PCI address, or `fallback` and a
/// number.
void put_in_order(ToolDocument& document, std::string_view fallback);

}  // namespace gpukeeper
