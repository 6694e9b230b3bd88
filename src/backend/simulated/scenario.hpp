#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backend/simulated/curve.hpp"
#include "backend/simulated/identity_reader.hpp"
#include "core/result.hpp"
#include "device/device.hpp"
#include "device/gpu_process.hpp"

namespace gpukeeper::simulated {

/// When something holds, in seconds from the scenario's start: [start, start + duration), again every `repeat`.
struct Window {
  double start = 0;
  std::optional<double> duration;  ///< for ever when absent
  std::optional<double> repeat;    ///< at least the duration

  bool holds(double seconds) const;
  /// Seconds since it last began; it holds at this instant.
  double since(double seconds) const;
  /// When what holds at this instant ends; nothing when never.
  std::optional<double> end(double seconds) const;
  /// How often it has begun by this instant, itself included.
  std::uint64_t starts(double seconds) const;
};

enum class FaultKind {
  hang,             ///< reads do not return before the fault's end
  lost,             ///< reads answer not_found, though the device is listed
  driver_mismatch,  ///< reads answer unavailable: library and kernel driver differ
  error,            ///< reads answer with an error
  flapping,         ///< metrics come and go
  missing,          ///< metrics are absent with a reason
  asleep,           ///< runtime-suspended
  appear,           ///< not there before its start
  disappear,        ///< not there while it lasts
  xid,              ///< the driver reports an XID
  ecc,              ///< memory errors: the counters grow at its start
  pcie_error,       ///< the driver reports errors of the link
  engine_reset,     ///< the driver reports that an engine hung and was reset
  gpu_reset,        ///< the driver reports a reset
  wedged,           ///< the driver reports that it gave the device up
  driver_reload,    ///< of the whole machine: no device is there while it lasts
};

/// How bad errors of the PCIe link are.
enum class LinkError { correctable, nonfatal, fatal };

/// "correctable", "non-fatal", "fatal".
std::string_view word_of(LinkError severity);

struct Fault {
  FaultKind kind = FaultKind::error;
  Window window;
  std::vector<std::string> metrics;             ///< of flapping and missing
  Missing reason = Missing::not_supported;      ///< of flapping and missing
  double period = 10;                           ///< of flapping: absent in the first half of each, in seconds
  Errc code = Errc::internal;                   ///< of error
  std::string message;                          ///< of error and of what is reported; empty for a general one
  std::uint64_t xid = 0;                        ///< of xid
  std::string process;                          ///< of xid and engine_reset: whom the driver blames; empty for nobody
  std::uint64_t corrected = 0;                  ///< of ecc
  std::uint64_t uncorrected = 0;                ///< of ecc
  LinkError severity = LinkError::correctable;  ///< of pcie_error
  std::uint64_t count = 1;                      ///< of pcie_error
};

/// A process on one device.
struct ProcessSpec {
  std::int64_t pid = 0;
  std::string name;
  ProcessType type;
  std::optional<Curve> memory;           ///< bytes
  std::optional<Curve> utilization;      ///< percent
  std::optional<std::size_t> partition;  ///< which of the device's partitions it runs in
  Window window;
  Identity who;
};

/// A device or a partition: who it is, and what of its reading the scenario gives. The rest is the model's (model.hpp).
struct DeviceSpec {
  Device device;
  std::map<std::string, Curve, std::less<>> metrics;  ///< by name in the metric table; only what a Reading holds
  double memory_base = 0;                             ///< bytes in use beside the processes'
  std::vector<ProcessSpec> processes;                 ///< of a device; ordered by pid
  std::vector<Fault> faults;                          ///< of a device; its partitions share them
  std::vector<DeviceSpec> partitions;                 ///< of a device; without processes and partitions of their own
};

/// A machine to simulate.
struct Scenario {
  std::string name;
  std::uint64_t seed = 1;
  std::vector<DeviceSpec> devices;  ///< ordered by PCI address
  std::vector<Fault> faults;        ///< of the whole machine
};

/// Reads a scenario; its format stands in docs/scenarios.md. `file` is what messages call the text.
/// Errors: invalid_argument "file:line:column: what is wrong, and what would be right".
Result<Scenario> parse_scenario(std::string_view text, std::string_view file);

/// Every key that some part of a scenario knows, without metrics, for checking the documentation.
std::vector<std::string_view> scenario_keys();

}  // namespace gpukeeper::simulated
