#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "backend/nvml/abi.hpp"
#include "core/result.hpp"

namespace gpukeeper::nvml {

/// The functions of `libnvidia-ml.so.1` that gpukeeper calls. The seam to the vendor's library: a test fills a table
/// with functions of its own.
///
/// Only init, count and handle_by_index must be there. Any other may be null, which calls answer as
/// abi::kFunctionNotFound: the metric is then not supported. Where a function has several versions the newest one
/// found stands here.
struct Library {
  using Handle = abi::Handle;
  template <class... Args>
  using Function = abi::Code (*)(Args...);
  using Number = Function<Handle, unsigned*>;
  using Text = Function<Handle, char*, unsigned>;
  using SystemText = Function<char*, unsigned>;

  /// A process list and how long the entries are that it writes.
  struct ProcessList {
    Function<Handle, unsigned*, void*> function = nullptr;
    std::size_t entry_size = sizeof(abi::ProcessInfo2);
  };

  Function<> init = nullptr;
  Function<> shutdown = nullptr;
  Function<unsigned*> count = nullptr;
  Function<unsigned, Handle*> handle_by_index = nullptr;

  SystemText driver_version = nullptr;
  SystemText library_version = nullptr;
  Function<int*> cuda_driver_version = nullptr;  // the unversioned one: _v2 opens libcuda

  Text name = nullptr;
  Text uuid = nullptr;
  Text serial = nullptr;
  Text vbios_version = nullptr;
  Text board_part_number = nullptr;
  Function<Handle, abi::PciInfo*> pci_info = nullptr;
  Number minor_number = nullptr;
  Number architecture = nullptr;
  Function<Handle, int*, int*> compute_capability = nullptr;
  Function<Handle, unsigned, unsigned long*> cpu_affinity = nullptr;

  Function<Handle, int, abi::FieldValue*> field_values = nullptr;
  Function<Handle, unsigned, unsigned*> temperature = nullptr;
  Function<Handle, abi::Temperature*> temperature_versioned = nullptr;
  Function<Handle, unsigned, unsigned*> temperature_threshold = nullptr;
  Function<Handle, abi::MarginTemperature*> margin_temperature = nullptr;
  Number fan_speed = nullptr;
  Function<Handle, abi::FanSpeed*> fan_rpm = nullptr;
  Function<Handle, abi::Utilization*> utilization = nullptr;
  Function<Handle, unsigned*, unsigned*> encoder = nullptr;
  Function<Handle, unsigned*, unsigned*> decoder = nullptr;
  Function<Handle, unsigned*, unsigned*> jpeg = nullptr;
  Function<Handle, unsigned*, unsigned*> ofa = nullptr;
  Function<Handle, abi::Memory*> memory = nullptr;
  Function<Handle, abi::Memory2*> memory2 = nullptr;
  Function<Handle, abi::Bar1Memory*> bar1 = nullptr;
  Number power_usage = nullptr;
  Number enforced_power_limit = nullptr;
  Number default_power_limit = nullptr;
  Function<Handle, unsigned*, unsigned*> power_limit_range = nullptr;
  Function<Handle, unsigned long long*> energy = nullptr;
  Function<Handle, unsigned, unsigned*> clock = nullptr;
  Function<Handle, unsigned, unsigned*> max_clock = nullptr;
  Number performance_state = nullptr;
  Function<Handle, unsigned long long*> clock_event_reasons = nullptr;
  Number pcie_generation = nullptr;
  Number pcie_generation_max = nullptr;
  Number pcie_width = nullptr;
  Number pcie_width_max = nullptr;
  Number pcie_replays = nullptr;
  Function<Handle, unsigned*, unsigned*> ecc_mode = nullptr;
  Function<Handle, unsigned, unsigned, unsigned long long*> ecc_errors = nullptr;
  Function<Handle, unsigned, unsigned*, unsigned long long*> retired_pages = nullptr;
  Number retired_pages_pending = nullptr;
  Function<Handle, unsigned*, unsigned*, unsigned*, unsigned*> remapped_rows = nullptr;
  Number persistence_mode = nullptr;
  Number compute_mode = nullptr;
  Function<Handle, unsigned, unsigned*> nvlink_state = nullptr;
  Function<Handle, unsigned, abi::PciInfo*> nvlink_remote_pci = nullptr;
  Function<Handle, unsigned, unsigned*> nvlink_remote_type = nullptr;

  Function<Handle, unsigned*, unsigned*> mig_mode = nullptr;
  Number mig_count_max = nullptr;
  Function<Handle, unsigned, Handle*> mig_handle = nullptr;
  Number gpu_instance_id = nullptr;
  Number compute_instance_id = nullptr;
  Function<Handle, abi::Attributes*> attributes = nullptr;

  ProcessList compute_processes;
  ProcessList graphics_processes;
  ProcessList mps_processes;
  Function<Handle, abi::ProcessDetailList*> process_details = nullptr;
  Function<Handle, abi::ProcessSample*, unsigned*, unsigned long long> process_utilization = nullptr;

  Function<abi::EventSet*> event_set_create = nullptr;
  Function<abi::EventSet> event_set_free = nullptr;
  Function<Handle, unsigned long long, abi::EventSet> register_events = nullptr;
  Function<abi::EventSet, abi::EventData*, unsigned> event_set_wait = nullptr;

  // What changes a device; nothing that only reads calls these.
  Function<const char*, Handle*> handle_by_uuid = nullptr;
  Number power_limit = nullptr;  // the one that is set, whatever is enforced
  Function<Handle, unsigned> set_power_limit = nullptr;
  Function<Handle, unsigned, unsigned> set_locked_clocks = nullptr;
  Function<Handle> reset_locked_clocks = nullptr;
  Number fan_count = nullptr;
  Function<Handle, unsigned, unsigned*> fan_speed_of = nullptr;
  Function<Handle, unsigned, unsigned*> fan_policy = nullptr;
  Function<Handle, unsigned*, unsigned*> fan_range = nullptr;
  Function<Handle, unsigned, unsigned> set_fan_speed = nullptr;
  Function<Handle, unsigned> reset_fan_speed = nullptr;

  std::shared_ptr<void> keeps_loaded;  // the dynamic library; unloaded with the last copy of the table
};

/// Loads NVIDIA's library, or the one at `path` (or of that name) when it is not empty, and finds its functions.
/// Touches no device.
/// Errors: unavailable when there is none, it cannot be loaded, or it is not NVML; the message says what to do.
Result<std::shared_ptr<const Library>> load_library(const std::string& path);

}  // namespace gpukeeper::nvml
