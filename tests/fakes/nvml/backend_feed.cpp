#include "fakes/nvml/backend_feed.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string_view>

namespace gpukeeper {
namespace {

using namespace fake_nvml;

template <std::size_t N>
void assign(char (&out)[N], std::string_view text) {
  const std::size_t size = std::min(N - 1, text.size());
  std::copy_n(text.data(), size, out);
  std::fill(out + size, out + N, '\0');
}

template <std::size_t N>
void assign_metric(char (&out)[N], const Metric<std::string>& text) {
  assign(out, text ? std::string_view(*text) : std::string_view());
}

/// A metric in NVML's unit; what the source lacks is not supported here either.
template <class T>
std::uint32_t number(const Metric<T>& metric, double factor = 1) {
  return metric ? static_cast<std::uint32_t>(std::llround(static_cast<double>(metric->value()) * factor)) : kAbsent;
}
std::uint32_t flag(const Metric<bool>& metric) {
  return metric ? (*metric ? 1 : 0) : kAbsent;
}
template <class T>
std::uint64_t value_or(const Metric<T>& metric, std::uint64_t otherwise) {
  return metric ? static_cast<std::uint64_t>(metric->value()) : otherwise;
}

/// "0x10de:2330" forms: "vendor:device" in hexadecimal, as NVML packs it: device << 16 | vendor.
std::uint32_t pack_pci_id(const Metric<std::string>& text, std::uint32_t otherwise) {
  if (!text) return otherwise;
  const auto colon = text->find(':');
  if (colon == std::string::npos) return otherwise;
  return static_cast<std::uint32_t>(std::stoul(text->substr(colon + 1), nullptr, 16) << 16 |
                                    std::stoul(text->substr(0, colon), nullptr, 16));
}

std::uint64_t event_bits(ThrottleReasons reasons) {
  constexpr struct {
    Throttle reason;
    std::uint64_t bit;  // of NVML's clock event reasons
  } kBits[] = {{Throttle::idle, 0x1},
               {Throttle::application_clocks, 0x2},
               {Throttle::software_power_cap, 0x4},
               {Throttle::hardware_slowdown, 0x8},
               {Throttle::sync_boost, 0x10},
               {Throttle::software_thermal, 0x20},
               {Throttle::hardware_thermal, 0x40},
               {Throttle::hardware_power_brake, 0x80},
               {Throttle::display_clocks, 0x100}};
  std::uint64_t bits = 0;
  for (const auto& row : kBits) {
    if (reasons.has(row.reason)) bits |= row.bit;
  }
  return bits;
}

/// NVML's number of an architecture; Hopper's when the name is another.
std::uint32_t architecture_code(const Metric<std::string>& name) {
  constexpr std::pair<std::string_view, std::uint32_t> kCodes[] = {{"Kepler", 2}, {"Maxwell", 3}, {"Pascal", 4},
                                                                   {"Volta", 5},  {"Turing", 6},  {"Ampere", 7},
                                                                   {"Ada", 8},    {"Hopper", 9},  {"Blackwell", 10}};
  for (const auto& [word, code] : kCodes) {
    if (name && name->starts_with(word)) return code;
  }
  return 9;
}

void describe_card(Gpu& gpu, const Device& device) {
  assign(gpu.uuid, device.id.text);
  assign(gpu.name, device.name);
  assign_metric(gpu.serial, device.serial);
  assign_metric(gpu.part_number, device.board_part_number);
  assign_metric(gpu.vbios, device.vbios_version);
  if (device.pci) {
    gpu.pci_domain = device.pci->domain;
    gpu.pci_bus = device.pci->bus;
    gpu.pci_device = device.pci->device;
  }
  gpu.pci_device_id = pack_pci_id(device.pci_id, gpu.pci_device_id);
  gpu.pci_subsystem_id = pack_pci_id(device.pci_subsystem_id, gpu.pci_subsystem_id);
  if (device.minor_number) gpu.minor = *device.minor_number;
  if (device.numa_node) gpu.numa_node = *device.numa_node;
  gpu.architecture = architecture_code(device.architecture);
  gpu.gpm_supported = gpu.architecture >= 9 ? 1 : 0;
  if (device.compute_capability) {
    std::sscanf(device.compute_capability->c_str(), "%d.%d", &gpu.compute_major, &gpu.compute_minor);
  }
}

void describe_driver(State& state, const Device& device) {
  if (device.driver_version) assign(state.driver_version, *device.driver_version);
  if (device.library_version) {
    std::string_view version = *device.library_version;
    if (version.starts_with("NVML ")) version.remove_prefix(5);
    assign(state.nvml_version, version);
  }
  unsigned major = 0, minor = 0;
  if (device.cuda_version && std::sscanf(device.cuda_version->c_str(), "%u.%u", &major, &minor) == 2) {
    state.cuda_version = major * 1000 + minor * 10;
  }
}

/// "1g.10gb (GPU instance 9)" in its two parts.
void describe_partition(MigInstance& mig, const std::string& text) {
  assign(mig.profile_name, text.substr(0, text.find(' ')));
  const auto at = text.find("GPU instance ");
  if (at != std::string::npos) mig.gpu_instance = static_cast<std::uint32_t>(std::stoul(text.substr(at + 13)));
}

}  // namespace

BackendFeed::~BackendFeed() {
  for (auto& [uuid, card] : cards_) {
    if (!card.job) continue;
    std::scoped_lock lock(card.job->mutex);
    card.job->closing = true;
  }
  backend_.reset();
  for (auto& [uuid, card] : cards_) {
    if (card.hangs) nvml_.release(card.slot);
  }
}

void BackendFeed::update(std::chrono::milliseconds patience) {
  auto devices = backend_->list();
  take_list(devices ? *devices : std::vector<Device>{});
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (auto& [uuid, card] : cards_) {
    if (card.listed && !card.job) start(card);
  }
  for (auto& [uuid, card] : cards_) {
    if (!card.job) continue;
    while (!card.job->done && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    if (card.job->done) {
      finish(card);
    } else if (!card.hangs) {
      card.hangs = true;
      nvml_.hang(Symbol::kAny, card.slot);
    }
  }
}

void BackendFeed::take_list(const std::vector<Device>& devices) {
  for (auto& [uuid, card] : cards_) card.listed = false;
  bool any = false;
  for (const Device& device : devices) {
    if (device.vendor != Vendor::nvidia) continue;
    if (!device.parent) {
      any = true;
      auto [at, is_new] = cards_.try_emplace(device.id.text);
      Card& card = at->second;
      card.listed = true;
      if (!is_new) continue;
      card.device = device;
      card.slot = nvml_.add_gpu(device.name);
      describe_card(nvml_.gpu(card.slot), device);
      describe_driver(nvml_.state(), device);
      continue;
    }
    const auto parent = cards_.find(device.parent->text);
    if (parent == cards_.end() || parent->second.partitions.contains(device.id.text)) continue;
    MigInstance mig;
    assign(mig.uuid, device.id.text);
    if (device.partition) describe_partition(mig, *device.partition);
    if (const auto reading = backend_->read(device.id)) mig.memory_total = value_or(reading->memory_total, kAbsent64);
    parent->second.partitions[device.id.text] = nvml_.add_mig(parent->second.slot, mig);
  }
  for (auto& [uuid, card] : cards_) {
    if (card.listed) {
      nvml_.plug(card.slot);
    } else {
      nvml_.unplug(card.slot);
      nvml_.lose_gpu(card.slot);
    }
  }
  // No device at all is a driver that was unloaded: no sessions survive that.
  if (!any && !unloaded_ && !cards_.empty()) {
    nvml_.refuse_init(9);
    nvml_.reload_driver();
  } else if (any && unloaded_) {
    nvml_.accept_init();
  }
  unloaded_ = !any && !cards_.empty();
}

void BackendFeed::start(Card& card) {
  card.job = std::make_unique<Job>();
  card.job->thread = std::jthread([&backend = *backend_, job = card.job.get(), id = card.device.id] {
    job->reading = backend.read(id);
    std::scoped_lock lock(job->mutex);
    if (!job->closing) job->processes = backend.processes(id);
    job->done = true;
  });
}

void BackendFeed::finish(Card& card) {
  card.job->thread.join();
  const auto job = std::move(card.job);
  if (card.hangs) nvml_.release(card.slot);
  card.hangs = false;
  if (!card.listed) return;
  if (!job->reading) {
    const Errc code = job->reading.error().code;
    nvml_.lose_gpu(card.slot, code == Errc::not_found ? 15 : code == Errc::unavailable ? 18 : 999);
    return;
  }
  nvml_.find_gpu(card.slot);
  fill(card, *job->reading);
  if (job->processes) fill(card, *job->processes);
}

void BackendFeed::fill(Card& card, const Reading& r) {
  Gpu& gpu = nvml_.gpu(card.slot);
  gpu.temperature = number(r.temperature);
  gpu.memory_temperature = number(r.temperature_memory);
  gpu.thresholds[0] = number(r.temperature_shutdown);
  gpu.thresholds[1] = number(r.temperature_slowdown);
  gpu.thresholds[3] = number(r.temperature_max_operating);
  gpu.margin_temperature =
      r.temperature_margin ? static_cast<std::int32_t>(std::lround(r.temperature_margin->value())) : kAbsentSigned;
  gpu.fans = r.fan ? 1 : 0;
  gpu.fan_percent[0] = gpu.fan_target[0] = r.fan ? number(r.fan) : 0;
  gpu.fan_rpm[0] = r.fan_speed ? number(r.fan_speed) : 0;
  gpu.utilization_gpu = number(r.utilization);
  gpu.utilization_memory = r.utilization_memory ? number(r.utilization_memory) : 0;
  gpu.utilization_encoder = number(r.utilization_encoder);
  gpu.utilization_decoder = number(r.utilization_decoder);
  gpu.utilization_jpeg = number(r.utilization_jpeg);
  gpu.utilization_ofa = number(r.utilization_ofa);
  gpu.clocks[0] = number(r.clock_graphics);
  gpu.clocks[1] = number(r.clock_sm);
  gpu.clocks[2] = number(r.clock_memory);
  gpu.clocks[3] = number(r.clock_video);
  gpu.clocks_max[0] = number(r.clock_graphics_max);
  gpu.clocks_max[1] = number(r.clock_sm_max);
  gpu.clocks_max[2] = number(r.clock_memory_max);
  gpu.clocks_max[3] = number(r.clock_video_max);
  gpu.power_mw = number(r.power, 1000);
  gpu.power_instant_mw = number(r.power_instant, 1000);
  gpu.power_limit_mw = gpu.power_limit_enforced_mw = number(r.power_limit, 1000);
  gpu.power_limit_default_mw = number(r.power_limit_default, 1000);
  gpu.power_limit_min_mw = number(r.power_limit_min, 1000);
  gpu.power_limit_max_mw = number(r.power_limit_max, 1000);
  gpu.counters_since_ns = 0;  // the source says how far its counters are
  gpu.energy_supported = r.energy ? 1 : 0;
  if (r.energy) gpu.energy_mj = static_cast<std::uint64_t>(r.energy->value() * 1000);
  gpu.memory_total = value_or(r.memory_total, kAbsent64);
  gpu.memory_reserved = value_or(r.memory_reserved, 0);
  gpu.memory_used = value_or(r.memory_used, 0);
  gpu.bar1_total = value_or(r.memory_bar1_total, kAbsent64);
  gpu.bar1_used = value_or(r.memory_bar1_used, 0);
  if (r.performance_state && r.performance_state->starts_with("P")) {
    gpu.performance_state = static_cast<std::uint32_t>(std::strtoul(r.performance_state->c_str() + 1, nullptr, 10));
  }
  gpu.event_reasons = r.throttle_reasons ? event_bits(*r.throttle_reasons) : kAbsent64;
  gpu.violation_ns[0] = r.throttle_power_time ? static_cast<std::uint64_t>(r.throttle_power_time->count()) : kAbsent64;
  gpu.violation_ns[1] =
      r.throttle_thermal_time ? static_cast<std::uint64_t>(r.throttle_thermal_time->count()) : kAbsent64;
  gpu.pcie_generation = number(r.pcie_generation);
  gpu.pcie_generation_max = gpu.pcie_generation_gpu_max = number(r.pcie_generation_max);
  gpu.pcie_width = number(r.pcie_width);
  gpu.pcie_width_max = number(r.pcie_width_max);
  gpu.pcie_rx_kb_per_s = number(r.pcie_rx, 1e-3);
  gpu.pcie_tx_kb_per_s = number(r.pcie_tx, 1e-3);
  gpu.pcie_replays = number(r.pcie_replays);
  gpu.ecc_mode = gpu.ecc_mode_pending = flag(r.ecc_enabled);
  constexpr int kDram = 2;
  gpu.ecc[0][0][kDram] = value_or(r.ecc_corrected_volatile, 0);
  gpu.ecc[1][0][kDram] = value_or(r.ecc_uncorrected_volatile, 0);
  gpu.ecc[0][1][kDram] = value_or(r.ecc_corrected_aggregate, 0);
  gpu.ecc[1][1][kDram] = value_or(r.ecc_uncorrected_aggregate, 0);
  gpu.remapped_supported = r.remapped_rows_corrected ? 1 : 0;
  gpu.remapped[0] = number(r.remapped_rows_corrected);
  gpu.remapped[1] = number(r.remapped_rows_uncorrected);
  gpu.remapped[2] = flag(r.remapped_rows_pending);
  gpu.remapped[3] = flag(r.remapped_rows_failed);
  gpu.persistence_mode = flag(r.persistence_mode);
  for (const auto& [uuid, index] : card.partitions) {
    const auto partition = backend_->read(DeviceId{uuid});
    if (partition) gpu.mig[index].memory_used = value_or(partition->memory_used, 0);
  }
  if (r.xid_last && card.last_xid != r.xid_last->value()) {
    constexpr std::uint64_t kCriticalXid = 8;
    card.last_xid = r.xid_last->value();
    nvml_.post_event(card.slot, kCriticalXid, *card.last_xid);
  }
}

void BackendFeed::fill(Card& card, const std::vector<GpuProcess>& processes) {
  const auto percent = [](const Metric<Percent>& metric) { return metric ? number(metric) : 0; };
  std::vector<Process> list;
  for (const GpuProcess& from : processes) {
    Process p;
    p.pid = static_cast<std::uint32_t>(from.pid);
    p.kinds = (from.type.compute ? kCompute : 0U) | (from.type.graphics ? kGraphics : 0U) | (from.type.mps ? kMps : 0U);
    p.memory_bytes = value_or(from.memory, kAbsent64);
    p.sm = percent(from.utilization);
    p.memory = percent(from.utilization_memory);
    p.encoder = percent(from.utilization_encoder);
    p.decoder = percent(from.utilization_decoder);
    if (from.partition) {
      const auto at = card.partitions.find(from.partition->text);
      if (at != card.partitions.end()) {
        p.gpu_instance = nvml_.gpu(card.slot).mig[at->second].gpu_instance;
        p.compute_instance = nvml_.gpu(card.slot).mig[at->second].compute_instance;
      }
    }
    assign(p.name, from.name);
    if (list.size() < kMaxProcesses) list.push_back(p);
  }
  nvml_.set_processes(card.slot, list);
}

}  // namespace gpukeeper
