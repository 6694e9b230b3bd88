#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// What the fake NVML library serves: one plain struct in a shared file, written by a test and read by the library
/// inside any client. Values stand in NVML's own units (mW, mJ, MHz, KiB where NVML says so); the library only copies
/// them out through the true ABI.
///
/// Threads and processes: a value is one aligned word, so a reader sees the old or the new one. A list of processes
/// changes as a whole under the GPU's sequence counter (`Gpu::sequence`). Counters and faults are atomics.
namespace gpukeeper::fake_nvml {

inline constexpr std::uint32_t kMagic = 0x4c4d564eU;  // "NVML", little-endian
inline constexpr std::uint32_t kLayout = 1;           // raised when this file changes
inline constexpr int kMaxGpus = 64;
inline constexpr int kMaxProcesses = 128;
inline constexpr int kMaxMigInstances = 8;
inline constexpr int kMaxLinks = 36;
inline constexpr int kMaxFields = 320;
inline constexpr int kMaxGpmMetrics = 333;
inline constexpr int kMaxEvents = 64;
inline constexpr int kMaxRetiredPages = 16;

/// A value that this GPU does not have: the library answers NVML_ERROR_NOT_SUPPORTED.
inline constexpr std::uint32_t kAbsent = 0xffffffffU;
inline constexpr std::uint64_t kAbsent64 = 0xffffffffffffffffULL;
inline constexpr std::int32_t kAbsentSigned = INT32_MIN;

/// One function of the library. kAny, the last, stands for every function where a fault is armed.
enum class Symbol : std::uint16_t {
#define X(name, branch) name,
#include "fakes/nvml/symbols.inc"
#undef X
  kAny
};
inline constexpr std::size_t kSymbols = static_cast<std::size_t>(Symbol::kAny);
inline constexpr std::array<std::string_view, kSymbols> kSymbolNames = {
#define X(name, branch) std::string_view(#name),
#include "fakes/nvml/symbols.inc"
#undef X
};

/// The column of a call that names no GPU, and of a fault that holds for every GPU.
inline constexpr int kNoGpu = kMaxGpus;
inline constexpr int kEveryGpu = kMaxGpus + 1;
inline constexpr int kColumns = kMaxGpus + 2;

/// What one function was asked on one GPU, and what it shall do wrong there.
struct alignas(64) Cell {
  std::atomic<std::uint64_t> calls;
  std::atomic<std::uint64_t> nanoseconds;  // inside the library, injected latency and hanging included
  std::atomic<std::int32_t> code;          // returned instead of working when not 0
  std::atomic<std::uint32_t> code_times;   // how many calls still fail; kAbsent for all of them
  std::atomic<std::uint32_t> hang;         // 1: the call sleeps until this is 0 again
  std::atomic<std::uint32_t> hanging;      // callers inside such a sleep now
  std::atomic<std::uint32_t> latency_us;   // slept before the call works
  std::atomic<std::uint32_t> short_bytes;  // an answer longer than this is cut there; 0 for never
  std::atomic<std::uint32_t> no_versions;  // 1: every version word is refused, as by an older library
};
static_assert(sizeof(Cell) == 64);

/// What a process does on a GPU; NVML has a list for each.
enum ProcessKind : std::uint32_t { kCompute = 1, kGraphics = 2, kMps = 4 };

struct Process {
  std::uint32_t pid = 0;
  std::uint32_t kinds = kCompute;            // a bit mask: one process can be in several lists
  std::uint64_t memory_bytes = kAbsent64;    // kAbsent64 is NVML's own "not available"
  std::uint64_t protected_memory_bytes = 0;  // confidential computing
  std::uint32_t gpu_instance = kAbsent;      // all ones: not MIG
  std::uint32_t compute_instance = kAbsent;  // all ones: not MIG
  std::uint32_t sm = 0;                      // percent; a process with all six at 0 has no utilization sample
  std::uint32_t memory = 0;
  std::uint32_t encoder = 0;
  std::uint32_t decoder = 0;
  std::uint32_t jpeg = 0;
  std::uint32_t ofa = 0;
  std::uint64_t sample_time_us = 0;  // wall clock of its utilization sample; 0: always fresh
  std::uint64_t started_us = 0;      // for accounting
  char name[64] = {};                // for nvmlSystemGetProcessName; empty: the kernel's name for the pid
};

/// A MIG instance: one GPU instance with one compute instance.
struct MigInstance {
  std::uint32_t present = 0;
  std::uint32_t gpu_instance = 0;
  std::uint32_t compute_instance = 0;
  std::uint32_t profile = 0;
  std::uint32_t placement_start = 0;
  std::uint32_t placement_size = 1;
  char uuid[48] = {};          // "MIG-…"
  char profile_name[32] = {};  // "1g.5gb"
  std::uint32_t multiprocessors = 14;
  std::uint32_t slices = 1;
  std::uint32_t compute_slices = 1;
  std::uint32_t copy_engines = 1;
  std::uint32_t decoders = 0;
  std::uint32_t encoders = 0;
  std::uint32_t jpegs = 0;
  std::uint32_t ofas = 0;
  std::uint64_t memory_total = 0;
  std::uint64_t memory_reserved = 0;
  std::uint64_t memory_used = 0;  // without the reserved part
  double gpm[kMaxGpmMetrics] = {};
};

struct NvLink {
  std::uint32_t active = 0;
  std::uint32_t version = 0;           // NVML's code of the NVLink generation
  std::uint32_t remote_type = 2;       // 0 GPU, 1 IBM NPU, 2 switch
  std::uint32_t remote_gpu = kAbsent;  // slot of the GPU at the other end, when remote_type is 0
  std::uint32_t remote_link = 0;
  std::uint32_t speed_mbps = 0;
  std::uint64_t errors[5] = {};  // replay, recovery, CRC flit, CRC data, ECC data
  std::uint64_t tx_kib = 0;      // data moved until Gpu::counters_since_ns
  std::uint64_t rx_kib = 0;
  std::uint64_t tx_kib_per_s = 0;  // data moved per second since then
  std::uint64_t rx_kib_per_s = 0;
};

/// One physical GPU. The defaults are a card that answers every question with something plausible.
struct Gpu {
  std::uint32_t plugged = 0;  // enumerated by the next initialisation
  std::atomic<std::int32_t>
      lost{};  // not 0: every call naming this GPU answers so (15 fell off the bus, 16 reset required)
  std::atomic<std::uint32_t> sequence{};  // odd while the list of processes is being written

  // Identity.
  char name[96] = {};
  char uuid[96] = {};
  char serial[30] = {};  // empty: not supported, as on GeForce
  char part_number[80] = {};
  char vbios[32] = {};
  char inforom_image[16] = {};
  char inforom_oem[16] = {};
  char inforom_ecc[16] = {};
  char inforom_power[16] = {};
  char gsp_firmware[64] = {};
  char hostname[64] = {};
  std::uint32_t minor = 0;
  std::uint32_t module_id = 1;
  std::uint32_t board_id = 0;
  std::uint32_t multi_gpu_board = 0;
  std::uint32_t brand = 2;         // Tesla
  std::uint32_t architecture = 9;  // Hopper
  std::int32_t compute_major = 9;
  std::int32_t compute_minor = 0;
  std::uint32_t cores = 16896;
  std::uint32_t memory_bus_bits = 5120;
  std::uint32_t irq = 0;
  std::uint32_t power_source = 0;  // mains
  std::uint32_t inforom_valid = 1;
  std::uint32_t virtualization_mode = 0;
  std::uint32_t addressing_mode = 0;
  std::uint32_t c2c = 0;

  // Where it is plugged.
  std::uint32_t pci_domain = 0;
  std::uint32_t pci_bus = 0;
  std::uint32_t pci_device = 0;
  std::uint32_t pci_device_id = 0x233010deU;  // device << 16 | vendor
  std::uint32_t pci_subsystem_id = 0x16c110deU;
  std::uint32_t numa_node = 0;
  std::uint32_t pcie_switch = 0;  // GPUs behind one switch: topology level "single"; kAbsent: directly at the bridge
  std::uint32_t host_bridge = 0;
  std::uint64_t cpu_affinity[4] = {};  // bits of processors, 256 of them
  std::uint64_t memory_affinity = 1;   // bits of NUMA nodes
  std::uint32_t pcie_generation = 5;
  std::uint32_t pcie_generation_max = 5;      // of slot and GPU together
  std::uint32_t pcie_generation_gpu_max = 5;  // of the GPU alone
  std::uint32_t pcie_width = 16;
  std::uint32_t pcie_width_max = 16;
  std::uint32_t pcie_replays = 0;
  std::uint32_t pcie_replay_rollovers = 0;
  std::uint32_t pcie_tx_kb_per_s = 0;  // GetPcieThroughput, and the byte counters of fields 197 and 198
  std::uint32_t pcie_rx_kb_per_s = 0;
  std::uint64_t pcie_tx_bytes = 0;  // moved until counters_since_ns
  std::uint64_t pcie_rx_bytes = 0;
  std::uint32_t pcie_counter_bits = 64;  // of fields 197 and 198: 32 makes them wrap as on some drivers

  // Sensors.
  std::uint32_t temperature = 40;
  std::uint32_t memory_temperature = 45;  // field 82
  std::uint32_t thresholds[8] = {92,      89,      95,     87, kAbsent,
                                 kAbsent, kAbsent, kAbsent};  // shutdown, slowdown, memory, GPU maximum, acoustic
  std::int32_t margin_temperature = 47;                       // degrees left until slowdown
  std::int32_t tlimits[4] = {-8, -2, 0, 0};                   // fields 193…196
  std::uint32_t fans = 0;                                     // 0: passively cooled, FanSpeed is not supported
  std::uint32_t fan_percent[4] = {};
  std::uint32_t fan_target[4] = {};
  std::uint32_t fan_rpm[4] = {};
  std::uint32_t fan_lowest = 30;
  std::uint32_t fan_highest = 100;
  std::uint32_t utilization_gpu = 0;
  std::uint32_t utilization_memory = 0;
  std::uint32_t utilization_encoder = 0;
  std::uint32_t utilization_decoder = 0;
  std::uint32_t utilization_jpeg = 0;
  std::uint32_t utilization_ofa = 0;
  std::uint32_t utilization_period_us = 167000;
  std::uint32_t clocks[4] = {345, 345, 2619, 765};  // graphics, SM, memory, video
  std::uint32_t clocks_max[4] = {1980, 1980, 2619, 1545};
  std::uint32_t clocks_app[4] = {1980, 1980, 2619, kAbsent};
  std::uint32_t clocks_app_default[4] = {1980, 1980, 2619, kAbsent};
  std::uint32_t clocks_boost_max[4] = {1980, 1980, 2619, 1545};
  std::uint32_t locked_gpu_clocks[2] = {};  // set by a client; both 0: not locked
  std::uint32_t locked_memory_clocks[2] = {};
  std::uint32_t auto_boost = kAbsent;
  std::uint32_t performance_state = 0;
  std::uint64_t event_reasons = 1;  // idle
  std::uint64_t event_reasons_supported = 0x1ff;
  std::uint64_t violation_ns[12] = {};  // power, thermal, sync boost, board limit, low utilization, reliability; 10, 11
  std::uint64_t slowdown_ns[3] = {};    // fields 269…271: software thermal, hardware thermal, power brake
  std::uint32_t power_mw = 70000;       // average over a second
  std::uint32_t power_instant_mw = 70500;
  std::uint32_t power_limit_mw = 700000;
  std::uint32_t power_limit_enforced_mw = 700000;
  std::uint32_t power_limit_default_mw = 700000;
  std::uint32_t power_limit_min_mw = 200000;
  std::uint32_t power_limit_max_mw = 700000;
  std::uint64_t energy_mj = 0;          // used until counters_since_ns; from then on power_mw adds to it
  std::uint64_t counters_since_ns = 0;  // CLOCK_MONOTONIC; 0: counters stand still
  std::uint32_t energy_supported = 1;

  // Memory. v1 of the call adds reserved to used, v2 tells them apart.
  std::uint64_t memory_total = 85520809984ULL;  // kAbsent64: not supported, as on unified memory
  std::uint64_t memory_reserved = 683671552ULL;
  std::uint64_t memory_used = 0;
  std::uint64_t bar1_total = 137438953472ULL;
  std::uint64_t bar1_used = 1048576;
  std::uint64_t protected_total_kib = 0;
  std::uint64_t unprotected_total_kib = 0;

  // Health.
  std::uint32_t ecc_mode = 1;  // kAbsent: no ECC
  std::uint32_t ecc_mode_pending = 1;
  std::uint64_t ecc[2][2][8] =
      {};  // [corrected, uncorrected][volatile, aggregate][L1, L2, DRAM, registers, texture, shm, CBU, SRAM]
  std::uint64_t sram_buckets[5] = {};  // L2, SM, PCIe, MCU, other
  std::uint64_t sram_parity[2] = {};   // volatile, aggregate
  std::uint32_t sram_threshold_exceeded = 0;
  std::uint32_t retired_pages_supported = 0;  // replaced by row remapping since Ampere
  std::uint32_t retired_count[2] = {};        // single-bit, double-bit
  std::uint64_t retired_address[2][kMaxRetiredPages] = {};
  std::uint64_t retired_time_us[2][kMaxRetiredPages] = {};
  std::uint32_t retired_pending = 0;
  std::uint32_t remapped_supported = 1;
  std::uint32_t remapped[4] = {};                        // corrected, uncorrected, pending, failed
  std::uint32_t remap_histogram[5] = {640, 0, 0, 0, 0};  // banks with max, high, partial, low, no spare rows
  std::uint32_t channel_repair_pending = 0;
  std::uint32_t tpc_repair_pending = 0;
  std::uint32_t recovery_action = 0;

  // Modes.
  std::uint32_t persistence_mode = 1;
  std::uint32_t compute_mode = 0;
  std::uint32_t display_mode = 0;
  std::uint32_t display_active = 0;
  std::uint32_t operation_mode = kAbsent;
  std::uint32_t accounting_mode = 0;
  std::uint64_t event_types_supported = 0xfc9f;  // all of API 13 but MIG changes and single-bit storms
  std::uint32_t gsp_mode = 1;
  std::uint32_t mig_mode = kAbsent;  // kAbsent: cannot; 0 off; 1 on
  std::uint32_t mig_mode_pending = kAbsent;
  MigInstance mig[kMaxMigInstances] = {};

  // NVLink fabric.
  std::uint32_t links = 0;
  NvLink link[kMaxLinks] = {};
  std::uint32_t fabric_state = kAbsent;  // 0…3 of NVML; kAbsent: not supported
  std::uint32_t fabric_status = 0;
  std::uint32_t fabric_clique = 0;
  std::uint32_t fabric_health_mask = 0;
  std::uint32_t fabric_health_summary = 0;
  std::uint8_t fabric_cluster[16] = {};

  std::uint32_t encoder_sessions = 0;
  std::uint32_t encoder_fps = 0;
  std::uint32_t encoder_latency_us = 0;

  std::uint32_t gpm_supported = 1;
  double gpm[kMaxGpmMetrics] = {};  // by metric number; below 0: not supported

  /// Per field of nvmlDeviceGetFieldValues: the code in its nvmlReturn; 0 lets the field answer.
  std::uint16_t field_code[kMaxFields] = {};
  /// 1: the field claims the value type "double", as driver 545 did for the memory temperature.
  std::uint8_t field_mislabelled[kMaxFields] = {};

  std::uint32_t process_count = 0;
  Process processes[kMaxProcesses] = {};
};

/// Something that happened to a GPU, delivered to the event sets registered for it.
struct Event {
  std::uint32_t gpu;
  std::uint32_t gpu_instance;
  std::uint32_t compute_instance;
  std::uint32_t pad;
  std::uint64_t type;  // one bit, as nvmlEventType…
  std::uint64_t data;  // the XID, for critical XID errors
};

struct State {
  std::uint32_t magic;
  std::uint32_t layout;
  std::uint64_t size;

  // The driver.
  std::atomic<std::int32_t> init_code;    // nvmlInit answers so when not 0: 9 not loaded, 18 mismatch, 4 no permission
  std::atomic<std::uint32_t> generation;  // raised when the driver is reloaded: older sessions then answer stale_code
  std::atomic<std::int32_t> stale_code;
  std::uint32_t cuda_version;  // 13000 is 13.0
  char driver_version[80];
  char nvml_version[80];
  char driver_branch[80];
  std::uint32_t setters_permitted;    // 0: settings answer NO_PERMISSION, as for a user who is not root
  std::uint32_t process_entry_bytes;  // of the _v3 lists: 24, or 32 as the drivers 535.43 to 535.86 wrote
  std::uint32_t cc_state;             // confidential computing on

  // Faults. `faults` counts the armed cells, so that a call without any looks at one word.
  std::atomic<std::uint32_t> faults;
  std::atomic<std::uint64_t> fail_nth;  // counts down with every call of any function; at its end one call fails
  std::atomic<std::int32_t> fail_nth_code;

  // Events: a ring, `events_head` counts all ever put in.
  std::atomic<std::uint32_t> events_head;
  Event events[kMaxEvents];

  std::atomic<std::uint32_t> sessions;  // initialisations now open, over all clients

  Gpu gpus[kMaxGpus];
  Cell cells[kSymbols + 1][kColumns];  // the last row is Symbol::kAny
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free,
              "atomics in shared memory must not hide a lock");

/// The environment variable that names the shared file. Without it the library has no driver to talk to.
inline constexpr const char* kStateVariable = "GPUKEEPER_FAKE_NVML";

}  // namespace gpukeeper::fake_nvml
