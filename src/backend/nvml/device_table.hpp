#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "backend/nvml/device_reader.hpp"

/// The forms of the two tables that say what is read of a device: the fields of a batch (device_fields.cpp) and the
/// calls (device_calls.cpp).
namespace gpukeeper::nvml {

/// Position of each row in DeviceReader::rows().
enum RowIndex : std::size_t {
  kQuick,
  kTemperature,
  kUtilization,
  kMemory,
  kPowerUsage,
  kReasons,
  kClockGraphicsRow,
  kClockMemoryRow,
  kFan,
  kPerformanceState,
  kEncoder,
  kDecoder,
  kMargin,
  kClockSmRow,
  kClockVideoRow,
  kPcieGeneration,
  kPcieWidth,
  kSlow,
  kFanRpm,
  kBar1,
  kJpeg,
  kOfa,
  kPersistence,
  kComputeMode,
  kEnergyCall,
  kEnforcedLimit,
  kDefaultLimit,
  kLimitRange,
  kReplays,
  kEccMode,
  kEccCorrectedVolatileCall,
  kEccUncorrectedVolatileCall,
  kEccCorrectedAggregateCall,
  kEccUncorrectedAggregateCall,
  kRetiredCorrectedCall,
  kRetiredUncorrectedCall,
  kRetiredPendingCall,
  kRemappedCall,
  kNvlinkStates,
  kRows,
  kNoRow = kRows,
};

/// A field of a batch: what it is, where its value goes, and which call stands in where the driver lacks the field.
struct DeviceReader::Field {
  std::uint32_t id;
  std::uint32_t scope;
  void (*take)(Values& v, const abi::FieldValue& field);
  std::size_t instead = kNoRow;
};

/// One call, as the rows of the table make it.
struct Calls {
  DeviceReader& reader;
  Session& session;
  const Library& library;
  DeviceReader::Values& v;
  abi::Handle handle;

  template <class... Params, class... Args>
  abi::Code operator()(abi::Code (*function)(Params...), Args... args) const {
    return reader.call(session, function, args...);
  }
  abi::Code quick() const { return reader.read_batch(session, reader.quick_); }
  abi::Code slow() const {
    v.links_active = 0;
    v.links_seen = false;
    const abi::Code code = reader.read_batch(session, reader.slow_);
    if (v.links_seen) v.reading.interconnect_links_active = Count(v.links_active);
    return code;
  }
  abi::Code memory() const { return reader.read_memory(session); }
  bool& temperature_versioned() const { return reader.temperature_versioned_; }
  unsigned nvlinks() const { return reader.attached_.nvlinks; }
};

/// One kind of call: how often it is made, and where its value goes.
struct DeviceReader::Row {
  std::string_view function;
  std::chrono::milliseconds period;  ///< 0: with every reading
  bool stands_in;                    ///< made only where the driver lacks a field
  abi::Code (*read)(const Calls& call);
};

}  // namespace gpukeeper::nvml
