#pragma once

#include <cstddef>
#include <cstdint>

/// NVML's C ABI as the fake serves it: x86-64 and aarch64 Linux, API 13.
///
/// Declared here a second time on purpose, apart from the NVML backend's own declarations: what both sides read from
/// one header would hide a mistake in it. The sizes are those of the public nvml.h 13, compared with it by a program
/// outside this project (docs/fake-nvml.md); the assertions below keep them.
namespace gpukeeper::fake_nvml::abi {

using Uint = unsigned int;
using Ullong = unsigned long long;

enum Return : int {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNoPermission = 4,
  kAlreadyInitialized = 5,
  kNotFound = 6,
  kInsufficientSize = 7,
  kInsufficientPower = 8,
  kDriverNotLoaded = 9,
  kTimeout = 10,
  kIrqIssue = 11,
  kLibraryNotFound = 12,
  kFunctionNotFound = 13,
  kCorruptedInforom = 14,
  kGpuIsLost = 15,
  kResetRequired = 16,
  kOperatingSystem = 17,
  kLibRmVersionMismatch = 18,
  kInUse = 19,
  kMemory = 20,
  kNoData = 21,
  kVgpuEccNotSupported = 22,
  kInsufficientResources = 23,
  kFreqNotSupported = 24,
  kArgumentVersionMismatch = 25,
  kDeprecated = 26,
  kNotReady = 27,
  kGpuNotFound = 28,
  kInvalidState = 29,
  kResetTypeNotSupported = 30,
  kUnknown = 999,
};

/// The version word of a struct: its size, and its version in the top byte.
template <class T>
constexpr Uint version_word(Uint version) {
  return static_cast<Uint>(sizeof(T)) | version << 24;
}

// Handles are pointers that only the library follows.
struct DeviceObject;
using Device = DeviceObject*;
struct EventSetObject;
using EventSet = EventSetObject*;
struct GpmSampleObject;
using GpmSample = GpmSampleObject*;
struct GpuInstanceObject;
using GpuInstance = GpuInstanceObject*;

struct PciInfo {
  char bus_id_legacy[16];
  Uint domain;
  Uint bus;
  Uint device;
  Uint device_id;
  Uint subsystem_id;
  char bus_id[32];
};
/// Of the first nvmlDeviceGetPciInfo: up to 2012, without the wide bus id.
struct PciInfoV1 {
  char bus_id[16];
  Uint domain;
  Uint bus;
  Uint device;
  Uint device_id;
  Uint subsystem_id;
  Uint reserved[4];
};
struct PciInfoExt {
  Uint version;
  Uint domain;
  Uint bus;
  Uint device;
  Uint device_id;
  Uint subsystem_id;
  Uint base_class;
  Uint sub_class;
  char bus_id[32];
};
struct Memory {
  Ullong total;
  Ullong free;
  Ullong used;
};
struct MemoryV2 {
  Uint version;
  Ullong total;
  Ullong reserved;
  Ullong free;
  Ullong used;
};
struct Bar1Memory {
  Ullong total;
  Ullong free;
  Ullong used;
};
struct Utilization {
  Uint gpu;
  Uint memory;
};
struct ProcessInfoV1 {
  Uint pid;
  Ullong memory;
};
struct ProcessInfoV2 {
  Uint pid;
  Ullong memory;
  Uint gpu_instance;
  Uint compute_instance;
};
/// Of the detail list, and of the _v3 lists in the drivers 535.43 to 535.86.
struct ProcessDetail {
  Uint pid;
  Ullong memory;
  Uint gpu_instance;
  Uint compute_instance;
  Ullong protected_memory;
};
struct ProcessDetailList {
  Uint version;
  Uint mode;  // 0 compute, 1 graphics, 2 MPS, 3 all
  Uint count;
  ProcessDetail* entries;
};
struct ProcessUtilizationSample {
  Uint pid;
  Ullong timestamp;
  Uint sm;
  Uint memory;
  Uint encoder;
  Uint decoder;
};
struct ProcessUtilizationInfo {
  Ullong timestamp;
  Uint pid;
  Uint sm;
  Uint memory;
  Uint encoder;
  Uint decoder;
  Uint jpeg;
  Uint ofa;
};
struct ProcessesUtilizationInfo {
  Uint version;
  Uint count;
  Ullong last_seen;
  ProcessUtilizationInfo* entries;
};
struct DeviceAttributes {
  Uint multiprocessors;
  Uint copy_engines;
  Uint decoders;
  Uint encoders;
  Uint jpegs;
  Uint ofas;
  Uint gpu_slices;
  Uint compute_slices;
  Ullong memory_mib;
};
struct C2cMode {
  Uint enabled;
};
struct AddressingMode {
  Uint version;
  Uint value;
};
struct RepairStatus {
  Uint version;
  Uint channel_pending;
  Uint tpc_pending;
};
struct RemapHistogram {
  Uint banks[5];  // max, high, partial, low, none
};
struct BridgeChip {
  Uint type;
  Uint firmware;
};
struct BridgeChips {
  unsigned char count;
  BridgeChip chips[128];
};
union Value {
  double d;
  int i;
  Uint u;
  unsigned long ul;
  Ullong ull;
  long long ll;
  unsigned short us;
};
enum ValueType : Uint { kDouble = 0, kUint = 1, kUlong = 2, kUllong = 3, kLlong = 4, kInt = 5, kUshort = 6 };
struct Sample {
  Ullong timestamp;
  Value value;
};
struct FieldValue {
  Uint field;
  Uint scope;
  long long timestamp;
  long long latency_us;
  Uint type;
  Return code;
  Value value;
};
struct ViolationTime {
  Ullong reference;
  Ullong violation;
};
struct ThermalSettings {
  Uint count;
  struct {
    int controller;
    int min;
    int max;
    int current;
    int target;
  } sensor[3];
};
struct CoolerInfo {
  Uint version;
  Uint index;
  Uint signal;
  Uint target;
};
struct FanSpeedInfo {
  Uint version;
  Uint fan;
  Uint rpm;
};
struct Temperature {
  Uint version;
  Uint sensor;
  int value;
};
struct MarginTemperature {
  Uint version;
  int value;
};
struct DynamicPstates {
  Uint flags;
  struct {
    Uint present;
    Uint percent;
    Uint increase_threshold;
    Uint decrease_threshold;
  } domain[8];
};
struct EccCounts {
  Ullong l1;
  Ullong l2;
  Ullong memory;
  Ullong registers;
};
struct SramEccStatus {
  Uint version;
  Ullong aggregate_parity;
  Ullong aggregate_secded;
  Ullong aggregate_corrected;
  Ullong volatile_parity;
  Ullong volatile_secded;
  Ullong volatile_corrected;
  Ullong buckets[5];  // L2, SM, PCIe, MCU, other
  Uint threshold_exceeded;
};
struct DramEncryption {
  Uint version;
  Uint state;
};
struct AccountingStats {
  Uint gpu;
  Uint memory;
  Ullong memory_max;
  Ullong time_ms;
  Ullong start_us;
  Uint running;
  Uint reserved[5];
};
struct EncoderSession {
  Uint id;
  Uint pid;
  Uint vgpu;
  Uint codec;
  Uint width;
  Uint height;
  Uint fps;
  Uint latency;
};
struct FbcStats {
  Uint sessions;
  Uint fps;
  Uint latency;
};
struct EventData {
  Device device;
  Ullong type;
  Ullong data;
  Uint gpu_instance;
  Uint compute_instance;
};
/// Of the first nvmlEventSetWait: without the instances.
struct EventDataV1 {
  Device device;
  Ullong type;
  Ullong data;
};
struct FabricInfo {
  unsigned char cluster[16];
  Return status;
  Uint clique;
  unsigned char state;
};
struct FabricInfoV2 {
  Uint version;
  unsigned char cluster[16];
  Return status;
  Uint clique;
  unsigned char state;
  Uint health_mask;
};
struct FabricInfoV3 {
  Uint version;
  unsigned char cluster[16];
  Return status;
  Uint clique;
  unsigned char state;
  Uint health_mask;
  unsigned char health_summary;
};
struct PlatformInfo {
  Uint version;  // 1 and 2 have one size: only the top byte tells them apart
  unsigned char ib_guid[16];
  unsigned char chassis_serial[16];
  unsigned char slot;
  unsigned char tray;
  unsigned char host;
  unsigned char peer;
  unsigned char module;
};
struct DriverBranch {
  Uint version;
  char branch[80];
};
struct Hostname {
  char value[64];
};
struct Capabilities {
  Uint version;
  Uint mask;
};
struct ConfComputeMemory {
  Ullong protected_kib;
  Ullong unprotected_kib;
};
struct ConfComputeState {
  Uint environment;
  Uint feature;
  Uint dev_tools;
};
struct ConfComputeCapabilities {
  Uint cpu;
  Uint gpu;
};
struct NvLinkInfoV1 {
  Uint version;
  Uint encrypted;
};
struct GpuInstancePlacement {
  Uint start;
  Uint size;
};
struct GpuInstanceInfo {
  Device device;
  Uint id;
  Uint profile;
  GpuInstancePlacement placement;
};
struct GpmMetric {
  Uint id;
  Return code;
  double value;
  const char* short_name;
  const char* long_name;
  const char* unit;
};
/// The array's length grew with the API (98 in 525, 333 in 13): `count` bounds it, never the struct's size.
struct GpmMetricsGet {
  Uint version;  // 1
  Uint count;
  GpmSample first;
  GpmSample second;
  GpmMetric metrics[333];
};
struct GpmSupport {
  Uint version;  // 1
  Uint supported;
};
struct HicEntry {
  Uint id;
  char firmware[32];
};

static_assert(sizeof(PciInfo) == 68 && offsetof(PciInfo, bus_id) == 36);
static_assert(sizeof(PciInfoExt) == 64 && version_word<PciInfoExt>(1) == 0x01000040);
static_assert(sizeof(Memory) == 24 && sizeof(MemoryV2) == 40 && version_word<MemoryV2>(2) == 0x02000028);
static_assert(sizeof(Bar1Memory) == 24 && sizeof(Utilization) == 8);
static_assert(sizeof(ProcessInfoV1) == 16 && sizeof(ProcessInfoV2) == 24 && sizeof(ProcessDetail) == 32);
static_assert(sizeof(ProcessDetailList) == 24 && version_word<ProcessDetailList>(1) == 0x01000018);
static_assert(sizeof(ProcessUtilizationSample) == 32 && sizeof(ProcessUtilizationInfo) == 40);
static_assert(sizeof(ProcessesUtilizationInfo) == 24 && version_word<ProcessesUtilizationInfo>(1) == 0x01000018);
static_assert(sizeof(DeviceAttributes) == 40 && sizeof(C2cMode) == 4 && sizeof(AddressingMode) == 8);
static_assert(sizeof(RepairStatus) == 12 && sizeof(RemapHistogram) == 20 && sizeof(BridgeChips) == 1028);
static_assert(sizeof(Value) == 8 && sizeof(Sample) == 16 && sizeof(FieldValue) == 40);
static_assert(offsetof(FieldValue, type) == 24 && offsetof(FieldValue, code) == 28 &&
              offsetof(FieldValue, value) == 32);
static_assert(sizeof(ViolationTime) == 16 && sizeof(ThermalSettings) == 64 && sizeof(CoolerInfo) == 16);
static_assert(sizeof(FanSpeedInfo) == 12 && sizeof(Temperature) == 12 && sizeof(MarginTemperature) == 8);
static_assert(sizeof(DynamicPstates) == 132 && sizeof(EccCounts) == 32 && sizeof(SramEccStatus) == 104);
static_assert(sizeof(DramEncryption) == 8 && sizeof(AccountingStats) == 56 && sizeof(EncoderSession) == 32);
static_assert(sizeof(FbcStats) == 12 && sizeof(EventData) == 32);
static_assert(sizeof(FabricInfo) == 28 && sizeof(FabricInfoV2) == 36 && sizeof(FabricInfoV3) == 40);
static_assert(sizeof(PlatformInfo) == 44 && sizeof(DriverBranch) == 84 && sizeof(Hostname) == 64);
static_assert(sizeof(Capabilities) == 8 && sizeof(ConfComputeMemory) == 16 && sizeof(ConfComputeState) == 12);
static_assert(sizeof(NvLinkInfoV1) == 8 && sizeof(GpuInstanceInfo) == 24);
static_assert(sizeof(GpmMetric) == 40 && sizeof(GpmMetricsGet) == 13344 && sizeof(GpmSupport) == 8);
static_assert(sizeof(HicEntry) == 36);

}  // namespace gpukeeper::fake_nvml::abi
