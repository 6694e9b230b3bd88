#pragma once

#include <cstddef>
#include <cstdint>

/// The part of NVML's C interface that gpukeeper uses, declared anew so that building needs no NVIDIA header: names are
/// ours, sizes, offsets and numbers are those of the public `nvml.h` (API 13; older layouts where a function has them).
/// Only what is asserted here crosses the border to the library.
namespace gpukeeper::nvml::abi {

using Handle = struct OpaqueDevice*;      // nvmlDevice_t
using EventSet = struct OpaqueEventSet*;  // nvmlEventSet_t

/// nvmlReturn_t, and what gpukeeper does about each: see codes.hpp.
using Code = int;
inline constexpr Code kSuccess = 0;
inline constexpr Code kUninitialized = 1;
inline constexpr Code kInvalidArgument = 2;
inline constexpr Code kNotSupported = 3;
inline constexpr Code kNoPermission = 4;
inline constexpr Code kNotFound = 6;
inline constexpr Code kInsufficientSize = 7;
inline constexpr Code kDriverNotLoaded = 9;
inline constexpr Code kTimeout = 10;
inline constexpr Code kFunctionNotFound = 13;
inline constexpr Code kCorruptedInforom = 14;
inline constexpr Code kGpuIsLost = 15;
inline constexpr Code kResetRequired = 16;
inline constexpr Code kOperatingSystem = 17;
inline constexpr Code kVersionMismatch = 18;  // library and kernel module
inline constexpr Code kNoData = 21;
inline constexpr Code kArgumentVersionMismatch = 25;
inline constexpr Code kDeprecated = 26;
inline constexpr Code kNotReady = 27;
inline constexpr Code kGpuNotFound = 28;
inline constexpr Code kUnknown = 999;

/// A structure's version word: its size, and its version in the top byte.
template <class T>
constexpr std::uint32_t version_word(std::uint32_t version) {
  return static_cast<std::uint32_t>(sizeof(T)) | version << 24;
}

struct PciInfo {  // nvmlPciInfo_t, functions _v2 and _v3; the plain function fills it up to subsystem_id at most
  char bus_id_legacy[16];
  std::uint32_t domain;
  std::uint32_t bus;
  std::uint32_t device;
  std::uint32_t device_id;  // device id in the upper half, vendor id in the lower
  std::uint32_t subsystem_id;
  char bus_id[32];
};
static_assert(sizeof(PciInfo) == 68 && offsetof(PciInfo, domain) == 16 && offsetof(PciInfo, device_id) == 28 &&
              offsetof(PciInfo, bus_id) == 36);

struct Utilization {
  std::uint32_t gpu;
  std::uint32_t memory;
};
static_assert(sizeof(Utilization) == 8);

struct Memory {  // nvmlMemory_t: used includes what is reserved
  std::uint64_t total;
  std::uint64_t free;
  std::uint64_t used;
};
static_assert(sizeof(Memory) == 24 && offsetof(Memory, used) == 16);

struct Memory2 {  // nvmlMemory_v2_t: total = reserved + free + used
  std::uint32_t version;
  std::uint64_t total;
  std::uint64_t reserved;
  std::uint64_t free;
  std::uint64_t used;
};
static_assert(sizeof(Memory2) == 40 && offsetof(Memory2, total) == 8 && offsetof(Memory2, used) == 32);
static_assert(version_word<Memory2>(2) == 0x02000028);

struct Bar1Memory {
  std::uint64_t total;
  std::uint64_t free;
  std::uint64_t used;
};
static_assert(sizeof(Bar1Memory) == 24 && offsetof(Bar1Memory, used) == 16);

struct ProcessInfo1 {  // what the functions without a version suffix write
  std::uint32_t pid;
  std::uint64_t memory;
};
static_assert(sizeof(ProcessInfo1) == 16 && offsetof(ProcessInfo1, memory) == 8);

struct ProcessInfo2 {  // _v2 and _v3
  std::uint32_t pid;
  std::uint64_t memory;
  std::uint32_t gpu_instance;
  std::uint32_t compute_instance;
};
static_assert(sizeof(ProcessInfo2) == 24 && offsetof(ProcessInfo2, gpu_instance) == 16);

struct ProcessDetail {  // nvmlProcessDetail_v1_t; drivers 535.43 to 535.86 wrote it through _v3 as well
  std::uint32_t pid;
  std::uint64_t memory;
  std::uint32_t gpu_instance;
  std::uint32_t compute_instance;
  std::uint64_t protected_memory;
};
static_assert(sizeof(ProcessDetail) == 32 && offsetof(ProcessDetail, compute_instance) == 20);

struct ProcessDetailList {
  std::uint32_t version;
  std::uint32_t mode;
  std::uint32_t count;
  ProcessDetail* entries;
};
static_assert(sizeof(ProcessDetailList) == 24 && offsetof(ProcessDetailList, entries) == 16);
static_assert(version_word<ProcessDetailList>(1) == 0x01000018);
inline constexpr std::uint32_t kAllProcesses = 3;  // compute, graphics and MPS, undistinguished

struct ProcessSample {  // nvmlProcessUtilizationSample_t
  std::uint32_t pid;
  std::uint64_t timestamp;  // microseconds
  std::uint32_t sm;
  std::uint32_t memory;
  std::uint32_t encoder;
  std::uint32_t decoder;
};
static_assert(sizeof(ProcessSample) == 32 && offsetof(ProcessSample, sm) == 16);

union Value {
  double as_double;
  std::int32_t as_int;
  std::uint32_t as_uint;
  std::uint64_t as_u64;
  std::int64_t as_i64;
  std::uint16_t as_ushort;
};
static_assert(sizeof(Value) == 8);

enum class ValueType : std::uint32_t {
  real = 0,
  uint = 1,
  ulong = 2,
  ulong_long = 3,
  long_long = 4,
  sint = 5,
  ushort = 6,
};

struct FieldValue {
  std::uint32_t id;
  std::uint32_t scope;
  std::int64_t timestamp;
  std::int64_t latency;
  ValueType type;
  Code code;
  Value value;
};
static_assert(sizeof(FieldValue) == 40 && offsetof(FieldValue, type) == 24 && offsetof(FieldValue, code) == 28 &&
              offsetof(FieldValue, value) == 32);

struct Attributes {  // nvmlDeviceAttributes_t, of a MIG instance
  std::uint32_t multiprocessors;
  std::uint32_t copy_engines;
  std::uint32_t decoders;
  std::uint32_t encoders;
  std::uint32_t jpeg_engines;
  std::uint32_t ofa_engines;
  std::uint32_t gpu_instance_slices;
  std::uint32_t compute_instance_slices;
  std::uint64_t memory_mib;
};
static_assert(sizeof(Attributes) == 40 && offsetof(Attributes, gpu_instance_slices) == 24 &&
              offsetof(Attributes, memory_mib) == 32);

struct Temperature {
  std::uint32_t version;
  std::uint32_t sensor;  // 0: the die, the only one there is
  std::int32_t celsius;
};
static_assert(sizeof(Temperature) == 12);
static_assert(version_word<Temperature>(1) == 0x0100000c);

struct MarginTemperature {
  std::uint32_t version;
  std::int32_t celsius;
};
static_assert(sizeof(MarginTemperature) == 8);
static_assert(version_word<MarginTemperature>(1) == 0x01000008);

struct FanSpeed {
  std::uint32_t version;
  std::uint32_t fan;
  std::uint32_t rpm;
};
static_assert(sizeof(FanSpeed) == 12);
static_assert(version_word<FanSpeed>(1) == 0x0100000c);

struct EventData {
  Handle device;
  std::uint64_t type;
  std::uint64_t data;  // the number of the XID
  std::uint32_t gpu_instance;
  std::uint32_t compute_instance;
};
static_assert(sizeof(EventData) == 32 && offsetof(EventData, data) == 16);
inline constexpr std::uint64_t kEventXid = 0x8;
inline constexpr std::uint64_t kEventMigConfiguration = 0x100;

inline constexpr std::uint32_t kNoInstance = 0xFFFFFFFF;          // of gpu_instance and compute_instance: not MIG
inline constexpr std::uint64_t kNotAvailable = ~std::uint64_t{};  // of a process's memory

// nvmlClockType_t, nvmlTemperatureThresholds_t, nvmlMemoryErrorType_t, nvmlEccCounterType_t, retirement causes.
inline constexpr std::uint32_t kClockGraphics = 0, kClockSm = 1, kClockMemory = 2, kClockVideo = 3;
inline constexpr std::uint32_t kThresholdShutdown = 0, kThresholdSlowdown = 1, kThresholdGpuMax = 3;
inline constexpr std::uint32_t kErrorsCorrected = 0, kErrorsUncorrected = 1;
inline constexpr std::uint32_t kCountVolatile = 0, kCountAggregate = 1;
inline constexpr std::uint32_t kRetiredCorrected = 0, kRetiredUncorrected = 1;
inline constexpr std::uint32_t kPerformanceStateUnknown = 32;
inline constexpr std::uint32_t kNvlinkMost = 36;  // NVML_NVLINK_MAX_LINKS
inline constexpr std::uint32_t kRemoteIsGpu = 0, kRemoteIsSwitch = 2;

/// Field ids (NVML_FI_…) and their scope.
namespace field {
inline constexpr std::uint32_t kAllLinks = 0xFFFFFFFF;
inline constexpr std::uint32_t kEccCurrent = 1;
inline constexpr std::uint32_t kEccCorrectedVolatile = 3, kEccUncorrectedVolatile = 4;
inline constexpr std::uint32_t kEccCorrectedAggregate = 5, kEccUncorrectedAggregate = 6;
inline constexpr std::uint32_t kRetiredCorrected = 29, kRetiredUncorrected = 30, kRetiredPending = 31;
inline constexpr std::uint32_t kThrottlePower = 74, kThrottleThermal = 75;  // nanoseconds
inline constexpr std::uint32_t kMemoryTemperature = 82;
inline constexpr std::uint32_t kEnergy = 83;  // mJ
inline constexpr std::uint32_t kNvlinkCount = 91;
inline constexpr std::uint32_t kPcieReplays = 94;
inline constexpr std::uint32_t kNvlinkTransmitted = 138, kNvlinkReceived = 139;  // KiB, scope is the link
inline constexpr std::uint32_t kRemappedCorrected = 142, kRemappedUncorrected = 143, kRemappedPending = 144,
                               kRemappedFailed = 145;
inline constexpr std::uint32_t kNvlinkState = 165;  // scope is the link
inline constexpr std::uint32_t kPowerAverage = 185, kPowerInstant = 186, kPowerLimitMin = 187, kPowerLimitMax = 188,
                               kPowerLimitDefault = 189, kPowerLimitCurrent = 190;  // mW, scope 0 is the GPU
inline constexpr std::uint32_t kTlimitShutdown = 193, kTlimitSlowdown = 194, kTlimitMemory = 195, kTlimitMax = 196;
inline constexpr std::uint32_t kPcieTransmitted = 197, kPcieReceived = 198;        // bytes, "value can be wrapped"
inline constexpr std::uint32_t kNvlink5Transmitted = 202, kNvlink5Received = 204;  // bytes, scope is the link
inline constexpr std::uint32_t kThrottleSoftwareThermal = 269, kThrottleHardwareThermal = 270;  // nanoseconds
}  // namespace field

}  // namespace gpukeeper::nvml::abi
