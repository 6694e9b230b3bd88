#include "prometheus/family_dcgm.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "prometheus/labels.hpp"
#include "telemetry/who.hpp"

namespace gpukeeper::prometheus {
namespace {

using enum FamilyType;
using R = const Reading&;
using Value = Metric<double>;

struct Row {
  Family family;
  Value (*value)(R);
};

// DCGM prints whole numbers of nearly all.
template <class T>
Value whole(const Metric<T>& metric, double factor = 1) {
  return metric.map([&](const T& value) { return std::round(static_cast<double>(value.value()) * factor); });
}

Value mebibytes(const Metric<Bytes>& size) {
  return size.map([](Bytes bytes) { return static_cast<double>(bytes.value() >> 20); });
}

// 0 says that none was seen since it was looked for.
Value last_xid(R r) {
  if (!r.xid_last && r.xid_last.error() == Missing::not_yet_read) return 0;
  return whole(r.xid_last);
}

// MB/s over all links and both ways, though it is called a counter: so does DCGM.
Value link_bandwidth(R r) {
  if (!r.interconnect_rx || !r.interconnect_tx) {
    return missing(r.interconnect_rx ? r.interconnect_tx.error() : r.interconnect_rx.error());
  }
  return std::round((r.interconnect_rx->value() + r.interconnect_tx->value()) / 1e6);
}

// In the order of etc/default-counters.csv.
const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {{"DCGM_FI_DEV_SM_CLOCK", gauge, "", "Clock of the streaming multiprocessors, in MHz."},
       [](R r) { return whole(r.clock_sm ? r.clock_sm : r.clock_graphics); }},
      {{"DCGM_FI_DEV_MEM_CLOCK", gauge, "", "Memory clock, in MHz."}, [](R r) { return whole(r.clock_memory); }},
      {{"DCGM_FI_DEV_MEMORY_TEMP", gauge, "", "Temperature of the memory, in degrees Celsius."},
       [](R r) { return whole(r.temperature_memory); }},
      {{"DCGM_FI_DEV_GPU_TEMP", gauge, "", "Temperature of the GPU, in degrees Celsius."},
       [](R r) { return whole(guarding_temperature(r)); }},
      {{"DCGM_FI_DEV_POWER_USAGE", gauge, "", "Power draw, in watts."},
       [](R r) -> Value { return r.power.map(&Watts::value); }},
      {{"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", counter, "", "Energy used since the driver was loaded, in mJ."},
       [](R r) { return whole(r.energy, 1e3); }},
      {{"DCGM_FI_DEV_PCIE_REPLAY_COUNTER", counter, "", "PCIe packets that had to be sent again."},
       [](R r) { return whole(r.pcie_replays); }},
      {{"DCGM_FI_DEV_GPU_UTIL", gauge, "", "Share of time in which the GPU was busy, in percent."},
       [](R r) { return whole(r.utilization); }},
      {{"DCGM_FI_DEV_MEM_COPY_UTIL", gauge, "", "Share of time in which memory was read or written, in percent."},
       [](R r) { return whole(r.utilization_memory); }},
      {{"DCGM_FI_DEV_ENC_UTIL", gauge, "", "Busy share of the video encoder, in percent."},
       [](R r) { return whole(r.utilization_encoder); }},
      {{"DCGM_FI_DEV_DEC_UTIL", gauge, "", "Busy share of the video decoder, in percent."},
       [](R r) { return whole(r.utilization_decoder); }},
      {{"DCGM_FI_DEV_XID_ERRORS", gauge, "", "Number of the last XID error that the driver reported; 0 before any."},
       last_xid},
      {{"DCGM_FI_DEV_FB_FREE", gauge, "", "Memory that is free, in MiB."},
       [](R r) { return mebibytes(r.memory_free); }},
      {{"DCGM_FI_DEV_FB_USED", gauge, "", "Memory in use, without what is reserved, in MiB."},
       [](R r) { return mebibytes(r.memory_used); }},
      {{"DCGM_FI_DEV_FB_RESERVED", gauge, "", "Memory that driver and firmware keep, in MiB."},
       [](R r) { return mebibytes(r.memory_reserved); }},
      {{"DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL", counter, "", "Data over all NVLinks, both ways, in MB/s now."},
       link_bandwidth},
      {{"DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", counter, "", "Memory rows remapped after uncorrected errors."},
       [](R r) { return whole(r.remapped_rows_uncorrected); }},
      {{"DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", counter, "", "Memory rows remapped after corrected errors."},
       [](R r) { return whole(r.remapped_rows_corrected); }},
      {{"DCGM_FI_DEV_ROW_REMAP_FAILURE", gauge, "", "Whether a row could not be remapped: 1 or 0."},
       [](R r) -> Value { return r.remapped_rows_failed.map([](bool failed) { return failed ? 1.0 : 0.0; }); }},
      {{"DCGM_FI_PROF_PCIE_TX_BYTES", gauge, "", "Data sent over PCIe, in bytes a second."},
       [](R r) { return whole(r.pcie_tx); }},
      {{"DCGM_FI_PROF_PCIE_RX_BYTES", gauge, "", "Data received over PCIe, in bytes a second."},
       [](R r) { return whole(r.pcie_rx); }},
  };
  return all;
}

// "00000000:C1:00.0": eight digits of domain, upper case.
std::string bus_id(const Device& device) {
  if (!device.pci) return {};
  const PciAddress& pci = *device.pci;
  return fmt::format("{:08X}:{:02X}:{:02X}.{:X}", pci.domain, pci.bus, pci.device, pci.function);
}

// /dev/nvidia0, /dev/dri/card0.
std::string node(const Device& device) {
  if (!device.minor_number) return {};
  return fmt::format("{}{}", device.vendor == Vendor::nvidia ? "nvidia" : "card", *device.minor_number);
}

// The same of all, or nothing.
class Common {
 public:
  void see(std::string value) {
    if (several_) return;
    if (value_ && *value_ != value) several_ = true;
    value_ = std::move(value);
  }
  std::string value() const { return several_ ? std::string() : value_.value_or(""); }

 private:
  std::optional<std::string> value_;
  bool several_ = false;
};

struct Where {
  std::string container;
  std::string name_space;
  std::string pod;
};

// By the names that Kubernetes gave; without them the pod by its uid, the container by its id as tools shorten it.
Where where(const ProcessPlace& place) {
  constexpr std::size_t kShortId = 12;
  const std::string id = place.container ? place.container->id.substr(0, kShortId) : "";
  if (!place.pod) return {id, "", place.pod_uid.value_or("")};
  return {place.pod->container.empty() ? id : place.pod->container, place.pod->name_space, place.pod->pod};
}

// In what the processes on a GPU, or in one partition of it, run.
Where where(const Snapshot& snapshot, const Place& place) {
  const DeviceSnapshot& holder = place.parent ? *place.parent : *place.device;
  Common container;
  Common name_space;
  Common pod;
  for (const GpuProcess& process : *holder.processes) {
    if (place.parent && process.partition != place.device->device->id) continue;
    const ProcessFacts* facts = facts_of(snapshot, holder, process);
    if (!facts || !facts->place) continue;
    const Where there = where(*facts->place);
    container.see(there.container);
    name_space.see(there.name_space);
    pod.see(there.pod);
  }
  return {container.value(), name_space.value(), pod.value()};
}

// Out of "1g.10gb (GPU instance 9)"; the place among the partitions where no number is told.
void add_partition(std::string& labels, const Place& place) {
  std::string profile;
  std::string id;
  if (place.parent) {
    const std::string text = place.device->device->partition.value_or("");
    const auto bracket = text.find(" (");
    profile = text.substr(0, bracket);
    for (const char c : bracket == std::string::npos ? "" : text.substr(bracket)) {
      if (c >= '0' && c <= '9')
        id += c;
      else if (!id.empty())
        break;
    }
    if (id.empty()) id = fmt::format("{}", place.device->index);
  }
  add_label(labels, "GPU_I_PROFILE", profile);
  add_label(labels, "GPU_I_ID", id);
}

// A partition bears its GPU's labels, and its own beside.
std::string labels_of(const Snapshot& snapshot, const Place& place, bool any_partition) {
  const DeviceSnapshot& gpu = place.parent ? *place.parent : *place.device;
  const Device& device = *gpu.device;
  std::string labels = plain_label("gpu", fmt::format("{}", gpu.index));
  add_label(labels, "UUID", device.id.text);
  add_label(labels, "pci_bus_id", bus_id(device));
  add_label(labels, "device", node(device));
  add_label(labels, "modelName", device.name + (device.simulated ? " (simulated)" : ""));
  if (any_partition) add_partition(labels, place);
  add_label(labels, "Hostname", snapshot.host);
  add_label(labels, "DCGM_FI_DRIVER_VERSION", device.driver_version.value_or(""));
  const Where there = where(snapshot, place);
  add_label(labels, "container", there.container);
  add_label(labels, "namespace", there.name_space);
  add_label(labels, "pod", there.pod);
  return labels;
}

}  // namespace

void write_dcgm(Exposition& out, const Snapshot& snapshot) {
  struct Labelled {
    const DeviceSnapshot* device;
    std::string labels;
  };
  const std::vector<Place> all = places(snapshot);
  const bool any_partition = std::ranges::any_of(all, [](const Place& place) { return place.parent != nullptr; });
  std::vector<Labelled> devices;
  for (const Place& place : all) {
    std::string labels = labels_of(snapshot, place, any_partition);
    // Two compute instances may share a GPU instance, by which these labels go: the first stands for both.
    if (std::ranges::find(devices, labels, &Labelled::labels) != devices.end()) continue;
    devices.push_back({place.device, std::move(labels)});
  }
  for (const Row& row : rows()) {
    out.begin(row.family);
    for (const Labelled& each : devices) {
      if (const auto value = row.value(each.device->reading)) out.add(each.labels, *value);
    }
  }
}

}  // namespace gpukeeper::prometheus
