#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/units.hpp"

namespace gpukeeper {

/// One kind of memory as one DRM client uses it. The kernel has two families of keys for the same memory; a driver may
/// print both, and their sum would count everything twice. So only used() is meant for adding up.
struct DrmMemory {
  std::string region;             ///< the driver's word: "vram", "vram0", "gtt", "system0", "stolen-system0"
  std::optional<Bytes> total;     ///< drm-total-: all buffers, resident or not, shared ones included
  std::optional<Bytes> resident;  ///< drm-resident-: what has memory behind it now
  std::optional<Bytes> shared;    ///< drm-shared-: what other clients hold too
  std::optional<Bytes> legacy;    ///< drm-memory-: what kernels before 6.13 or so print for resident memory

  /// Memory in use: resident, else the older key, else total; zero when the driver names the region without any of
  /// them.
  Bytes used() const;
};

/// Busy time of one engine as one DRM client used it. Counters only grow, but for driver faults.
struct DrmEngine {
  std::string name;                              ///< the driver's word: "gfx", "render", "rcs"
  std::optional<std::chrono::nanoseconds> busy;  ///< drm-engine-: time spent
  std::optional<std::uint64_t> cycles;           ///< drm-cycles-: cycles spent, a share of …
  std::optional<std::uint64_t> total_cycles;     ///< … drm-total-cycles-: all cycles that passed meanwhile
  std::uint32_t capacity = 1;                    ///< how many engines share the name; never 0
};

/// What one open DRM file says of its client in /proc/PID/fdinfo/N.
struct DrmClient {
  std::string driver;                      ///< "amdgpu", "i915", "xe"
  std::string pdev;                        ///< PCI address as the kernel writes it; empty for a platform device
  std::optional<std::uint64_t> client_id;  ///< unique per device; the same file shared by many processes has one
  std::vector<DrmMemory> memory;           ///< in the order of the text
  std::vector<DrmEngine> engines;          ///< in the order of the text

  /// False for the accelerators that share the format: an NPU is not a GPU.
  bool is_gpu() const;

  const DrmMemory* find_memory(std::string_view region) const;
  const DrmEngine* find_engine(std::string_view name) const;
};

/// Reads one fdinfo text; nothing when it does not speak of a DRM client. Keys that it does not know are left out,
/// values that are no number make their key absent. Follows the kernel's Documentation/gpu/drm-usage-stats.rst, and the
/// form that amdgpu printed before it (Linux 5.14 to 5.18: "pdev:", "pasid:", "vram mem:"), which has no driver key and
/// whose engine lines are percentages over a client's life and of no use.
std::optional<DrmClient> parse_fdinfo(std::string_view text);

/// Whether a region is the device's own memory (vram, vram0, local0), as opposed to system memory that it uses.
bool is_device_memory(std::string_view region);

/// Which kind of work an engine does, over all drivers.
enum class EngineClass { render, compute, copy, encode, decode, video, video_enhance, jpeg, other };
inline constexpr std::size_t kEngineClasses = 9;

/// The class of an engine by its driver's word for it; other for words that are not known.
EngineClass engine_class(std::string_view engine);

}  // namespace gpukeeper
