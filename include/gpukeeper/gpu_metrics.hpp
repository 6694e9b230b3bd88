#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gpukeeper/export.hpp"

namespace gpukeeper {
inline namespace v0 {

/// What one GPU does at one moment.
///
/// Absent is not zero: a number that the GPU does not report is empty, and its JSON null. Where the documents have a
/// whole number (u32, u64), the reading is cut off to one, not rounded; where they have f32, a double stands.
struct GPUKEEPER_API GpuMetrics {
  /// A process that has the GPU open.
  struct Process {
    std::uint32_t pid = 0;
    std::string exe_path = {};                        ///< "[pid 4711]" where it may not be read
    std::optional<std::uint64_t> gpu_memory_mb = {};  ///< MiB of the GPU's memory
    std::optional<double> cpu_percent = {};           ///< between two looks; 100 is one core, so it may exceed 100
    std::optional<std::uint64_t> rss_mb = {};         ///< MiB of the computer's memory
    friend bool operator==(const Process&, const Process&) = default;
  };

  std::uint32_t device_id = 0;  ///< its index
  std::string name = {};        ///< as the driver says it: anything may stand there
  std::optional<std::uint32_t> utilization_percent = {};
  std::optional<std::uint64_t> memory_used_bytes = {};
  std::optional<std::uint64_t> memory_total_bytes = {};
  std::optional<std::uint32_t> memory_utilization_percent = {};  ///< how busy the memory is, not how full
  std::optional<std::uint32_t> temperature_celsius = {};
  std::optional<double> power_watts = {};
  std::optional<double> power_limit_watts = {};  ///< in force
  std::optional<std::uint32_t> clock_mhz = {};
  std::optional<std::uint32_t> memory_clock_mhz = {};
  std::optional<std::uint64_t> pcie_tx_kbps = {};  ///< 1000 bytes a second, sent by the GPU
  std::optional<std::uint64_t> pcie_rx_kbps = {};
  std::optional<std::uint32_t> fan_speed_percent = {};
  std::vector<Process> processes = {};  ///< ordered by pid

  bool available = true;    ///< false: it is lost, asleep or does not answer, and every number is absent
  std::string reason = {};  ///< a sentence: why it is not available; empty when all is well
  bool simulated = false;   ///< made up, or played from a recording

  /// The same memory in MiB, cut off.
  std::optional<std::uint64_t> memory_used_mb() const;
  std::optional<std::uint64_t> memory_total_mb() const;

  /// How full the memory is; 0 of no memory at all, and it may exceed 100 where a driver contradicts itself.
  std::optional<double> memory_percent() const;
  /// Of the limit; 0 where that is not above 0.
  std::optional<double> power_percent() const;

  friend bool operator==(const GpuMetrics&, const GpuMetrics&) = default;
};

/// An object with the names above, memory under both spellings.
GPUKEEPER_API std::string to_json(const GpuMetrics& metrics);
/// An array of them.
GPUKEEPER_API std::string to_json(const std::vector<GpuMetrics>& metrics);

/// Reads what to_json() writes, of one GPU; memory may stand in bytes or in MiB, members may be absent, others are let
/// pass. Nothing for a text that is no such object; then `mistake`, where it is given, says why.
GPUKEEPER_API std::optional<GpuMetrics> read_gpu_metrics(std::string_view json, std::string* mistake = nullptr);

/// The GPUs of a snapshot document (GET /api/v1/snapshot, docs/schema/status.json), with their processes. Nothing for a
/// text that is none, as above.
GPUKEEPER_API std::optional<std::vector<GpuMetrics>> read_snapshot(std::string_view json,
                                                                   std::string* mistake = nullptr);

}  // namespace v0
}  // namespace gpukeeper
