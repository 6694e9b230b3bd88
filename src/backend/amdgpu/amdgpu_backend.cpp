#include "backend/amdgpu/amdgpu_backend.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "backend/amdgpu/amdgpu_card.hpp"
#include "backend/amdgpu/kfd_topology.hpp"
#include "backend/sysfs/counting_files.hpp"
#include "backend/sysfs/device_names.hpp"
#include "backend/sysfs/drm_card.hpp"
#include "backend/sysfs/drm_processes.hpp"
#include "backend/sysfs/pci_facts.hpp"
#include "backend/sysfs/power_gate.hpp"
#include "backend/sysfs/sysfs_value.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

PciAddress without_function(PciAddress address) {
  address.function = 0;
  return address;
}

/// Whether a reading shows work, so that the card is not about to fall asleep anyway. What is not known is no work: the
/// gate tries a rest then, and tries less often when no sleep follows.
bool in_use(const Reading& reading) {
  const auto busy = [](const Metric<Percent>& share) { return share && share->value() >= 1; };
  return busy(reading.utilization) || busy(reading.utilization_video) || busy(reading.utilization_memory);
}

/// "CPX (partition 3)"; where the driver does not name the mode, it follows from the number of partitions.
std::string partition_name(std::string mode, std::size_t count, std::size_t index) {
  if (mode.empty()) mode = count == 2 ? "DPX" : count == 3 ? "TPX" : count == 4 ? "QPX" : count == 8 ? "CPX" : "XCP";
  return fmt::format("{} (partition {})", mode, index);
}

class AmdgpuBackend final : public Backend {
 public:
  explicit AmdgpuBackend(const SysfsSource& source)
      : source_(source),
        files_(source.machine, source.clock),
        gate_(files_, source.clock, source.reads_sleeping()),
        names_(source.system) {}

  std::string_view name() const override { return "amdgpu"; }
  Result<std::vector<Device>> list() override;
  Result<Reading> read(const DeviceId& id) override;
  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override;
  DriverCost cost() const override { return files_.cost(); }

 private:
  // A GPU: its card, the compute driver's nodes for it, and what was said of it when it was listed.
  struct Gpu {
    std::shared_ptr<AmdgpuCard> card;  // null when only the compute driver shows it
    std::vector<KfdNode> nodes;
    PciAddress address;
    std::optional<AmdgpuCard::Facts> facts;  // nothing until it was once seen awake
    DeviceId id;
  };
  struct Place {
    std::shared_ptr<const Gpu> gpu;
    std::optional<std::size_t> partition;
  };
  using Nodes = std::map<PciAddress, std::vector<KfdNode>>;

  Nodes nodes_by_gpu();
  Gpu make_gpu(const DrmCard& card, const Nodes& nodes);
  Device describe(const Gpu& gpu, const Nodes& nodes);
  Result<Place> find(const DeviceId& id, std::string_view operation);

  const SysfsSource source_;
  const CountingFiles files_;
  PowerGate gate_;
  DeviceNames names_;

  std::mutex list_mutex_;       // held by list() only, which never reads a sensor; no reading needs it
  std::string generation_;      // guarded by list_mutex_
  std::optional<Nodes> nodes_;  // guarded by list_mutex_
  std::map<PciAddress, std::shared_ptr<const Gpu>> gpus_;  // guarded by list_mutex_

  std::mutex mutex_;
  std::map<DeviceId, Place> places_;  // guarded by mutex_
};

AmdgpuBackend::Nodes AmdgpuBackend::nodes_by_gpu() {
  // A large machine has thousands of files here; they change only when the count does.
  const auto generation = kfd_generation(files_);
  if (nodes_ && !generation.empty() && generation == generation_) return *nodes_;
  Nodes nodes;
  for (auto& node : read_kfd_nodes(files_)) {
    const auto address = node.pci;
    nodes[address].push_back(std::move(node));
  }
  generation_ = generation;
  nodes_ = nodes;
  return nodes;
}

AmdgpuBackend::Gpu AmdgpuBackend::make_gpu(const DrmCard& card, const Nodes& nodes) {
  Gpu gpu;
  gpu.address = *card.pci;
  if (const auto own = nodes.find(without_function(*card.pci)); own != nodes.end()) gpu.nodes = own->second;
  const auto before = gpus_.find(*card.pci);
  const bool same = before != gpus_.end() && before->second->card && before->second->card->is(card);
  if (same) {
    gpu = *before->second;
  } else {
    gpu.card = std::make_shared<AmdgpuCard>(files_, card, gpu.nodes, source_.recorded);
  }
  if (!gpu.facts && gate_.look(card.device_folder) != Attention::asleep) {
    gpu.facts = AmdgpuCard::read_facts(files_, card.device_folder);
  }
  if (!same) {
    // The compute driver knows the unique id without the card being touched, so that a sleeping card has its name. A
    // name once given stays while the driver does: leases hang on it.
    std::string unique = gpu.facts ? gpu.facts->unique_id : std::string();
    if (unique.empty() && !gpu.nodes.empty() && gpu.nodes.front().unique_id != 0) {
      unique = fmt::format("{:016x}", gpu.nodes.front().unique_id);
    }
    gpu.id = unique.empty() ? card.id() : DeviceId{"AMD-" + unique};
  }
  return gpu;
}

Device AmdgpuBackend::describe(const Gpu& gpu, const Nodes& nodes) {
  Device device;
  NameQuestion question;
  if (gpu.card) {
    const DrmCard& card = gpu.card->card();
    add_pci_facts(files_, card, device);
    question.vendor = card.vendor_id;
    question.device = card.device_id;
    const auto revision = parse_u64(files_.read(card.device_folder + "/revision").value_or(""), 16);
    if (revision && *revision <= 0xff) question.revision = static_cast<std::uint8_t>(*revision);
    if (gpu.facts) {
      device.vbios_version = gpu.facts->vbios;
      device.serial = gpu.facts->serial;
      device.board_part_number = gpu.facts->part_number;
      question.product = gpu.facts->product;
    } else {
      device.vbios_version = device.serial = device.board_part_number = missing(Missing::asleep);
    }
  } else {
    const KfdNode& node = gpu.nodes.front();
    question.vendor = node.vendor_id;
    question.device = node.device_id;
    device.pci_id = fmt::format("{:04x}:{:04x}", node.vendor_id, node.device_id);
    device.driver = "amdgpu";
  }
  device.id = gpu.id;
  device.pci = gpu.address;
  device.vendor = Vendor::amd;
  device.name = names_.name(question);
  device.source = name();
  device.recorded = source_.recorded;
  if (gpu.nodes.empty()) return device;
  const KfdNode& first = gpu.nodes.front();
  if (!first.architecture.empty()) device.architecture = first.architecture;
  for (const auto& other : nodes) {  // no structured binding: clang 14 cannot capture one in a lambda
    if (other.first == first.pci) continue;
    const auto to_it = [&other](std::uint32_t peer) {
      return std::any_of(other.second.begin(), other.second.end(),
                         [peer](const KfdNode& node) { return node.number == peer; });
    };
    // A partitioned peer shows each link once a partition; it is one link all the same.
    if (std::any_of(first.xgmi_peers.begin(), first.xgmi_peers.end(), to_it)) {
      device.links.push_back({Link::Kind::xgmi, other.first.to_string(), 1});
    }
  }
  return device;
}

Result<std::vector<Device>> AmdgpuBackend::list() {
  auto cards = drm_cards(files_);
  if (!cards) return tl::make_unexpected(cards.error());
  std::erase_if(*cards, [](const DrmCard& card) { return card.driver != "amdgpu" || !card.pci; });

  std::scoped_lock lock(list_mutex_);
  const Nodes nodes = nodes_by_gpu();
  std::map<PciAddress, std::shared_ptr<const Gpu>> gpus;
  for (const auto& card : *cards) gpus[*card.pci] = std::make_shared<const Gpu>(make_gpu(card, nodes));
  for (const auto& [address, own] : nodes) {
    const bool has_card = std::any_of(gpus.begin(), gpus.end(), [&address = address](const auto& entry) {
      return without_function(entry.first) == address;
    });
    if (has_card) continue;
    Gpu gpu;
    gpu.nodes = own;
    gpu.address = address;
    const auto unique = own.front().unique_id;
    gpu.id = DeviceId{unique != 0 ? fmt::format("AMD-{:016x}", unique) : "PCI-" + address.to_string()};
    gpus[address] = std::make_shared<const Gpu>(std::move(gpu));
  }

  std::vector<Device> devices;
  std::map<DeviceId, Place> places;
  for (auto& [address, gpu] : gpus) {
    if (places.contains(gpu->id)) {  // two boards with one id: the address tells them apart
      auto renamed = std::make_shared<Gpu>(*gpu);
      renamed->id = DeviceId{"PCI-" + address.to_string()};
      gpu = std::move(renamed);
    }
    const Device device = describe(*gpu, nodes);
    devices.push_back(device);
    places[device.id] = Place{gpu, std::nullopt};
    if (gpu->nodes.size() < 2) continue;
    for (std::size_t i = 0; i < gpu->nodes.size(); ++i) {
      Device partition = device;
      partition.id = DeviceId{fmt::format("{}/xcp{}", device.id.text, i)};
      partition.parent = device.id;
      partition.partition =
          partition_name(gpu->facts ? gpu->facts->partition_mode : std::string(), gpu->nodes.size(), i);
      partition.links.clear();
      places[partition.id] = Place{gpu, i};
      devices.push_back(std::move(partition));
    }
  }
  gpus_ = std::move(gpus);
  std::scoped_lock places_lock(mutex_);
  places_ = std::move(places);
  return devices;
}

Result<AmdgpuBackend::Place> AmdgpuBackend::find(const DeviceId& id, std::string_view operation) {
  std::scoped_lock lock(mutex_);
  const auto found = places_.find(id);
  if (found != places_.end()) return found->second;
  return fail(Errc::not_found, fmt::format("{} {}: no such AMD GPU is in the list of cards; it may have left the bus",
                                           operation, id.text));
}

Result<Reading> AmdgpuBackend::read(const DeviceId& id) {
  const auto place = find(id, "read");
  if (!place) return tl::make_unexpected(place.error());
  const Gpu& gpu = *place->gpu;
  if (!gpu.card) {
    Reading reading{Missing::not_supported};
    const KfdNode& node = gpu.nodes[place->partition.value_or(0)];
    if (node.memory.value() > 0 && (place->partition || gpu.nodes.size() == 1)) reading.memory_total = node.memory;
    return reading;
  }
  const std::string& folder = gpu.card->card().device_folder;
  const auto attention = gate_.look(folder);
  if (attention != Attention::awake) {
    if (!place->partition && attention == Attention::asleep) gpu.card->forget_rates();
    return gate_.withheld(folder, attention);
  }
  if (place->partition) {
    auto reading = gpu.card->read_partition(*place->partition);
    reading.runtime_power_state = gate_.runtime_state(folder);
    return reading;
  }
  auto reading = gpu.card->read(source_.clock.now());
  if (!reading) {
    // Refused because it fell asleep in between: that is a state, not a failure.
    const bool slept = reading.error().code == Errc::unavailable && gate_.look(folder) == Attention::asleep;
    return slept ? Result<Reading>(gate_.withheld(folder, Attention::asleep)) : reading;
  }
  reading->runtime_power_state = gate_.runtime_state(folder);
  gate_.note(folder, in_use(*reading));
  return reading;
}

Result<std::vector<GpuProcess>> AmdgpuBackend::processes(const DeviceId& id) {
  const auto place = find(id, "list the processes of");
  if (!place) return tl::make_unexpected(place.error());
  const Gpu& gpu = *place->gpu;
  std::vector<std::uint64_t> gpu_ids;
  for (std::size_t i = 0; i < gpu.nodes.size(); ++i) {
    if (gpu.nodes[i].gpu_id != 0 && place->partition.value_or(i) == i) gpu_ids.push_back(gpu.nodes[i].gpu_id);
  }
  const auto computing = read_kfd_processes(files_, gpu_ids);

  auto scan = source_.processes.scan();
  const bool unified = gpu.card && gpu.card->unified().value_or(false);
  auto drawing = drm_processes_of(*scan, gpu.address, unified);
  if (gpu.card) gpu.card->take_scan(scan);
  // What the compute driver tells it tells of all users, so its list stands even where the other one cannot be had.
  if (!drawing && computing.empty()) return drawing;

  std::map<std::int64_t, GpuProcess> merged;
  // DRM clients do not say in which partition they are.
  if (drawing && !place->partition) {
    for (auto& process : *drawing) merged.emplace(process.pid, std::move(process));
  }
  struct Use {
    Bytes memory{0};
    std::optional<std::uint32_t> units;
    std::vector<std::size_t> nodes;
  };
  std::map<std::int64_t, Use> uses;
  std::uint32_t all_units = 0;
  for (std::size_t i = 0; i < gpu.nodes.size(); ++i) {
    if (place->partition.value_or(i) != i) continue;
    all_units += gpu.nodes[i].compute_units;
    for (const KfdProcess& process : computing) {
      if (process.gpu_id != gpu.nodes[i].gpu_id) continue;
      Use& use = uses[process.pid];
      use.memory = use.memory + process.memory;
      if (process.compute_units) use.units = use.units.value_or(0) + *process.compute_units;
      use.nodes.push_back(i);
    }
  }
  for (const auto& [pid, use] : uses) {
    GpuProcess& process = merged[pid];
    if (process.pid == 0) {
      process.pid = pid;
      process.name = std::string(trim(files_.read(fmt::format("/proc/{}/comm", pid)).value_or("")));
    }
    process.type.compute = true;
    // Newer kernels count the same buffers in fdinfo: the larger figure, never the sum.
    process.memory = std::max(process.memory.value_or(Bytes(0)), use.memory);
    if (use.units && all_units > 0) {
      const auto occupied = Percent(std::min(100.0, 100.0 * *use.units / all_units));
      if (!process.utilization || *process.utilization < occupied) process.utilization = occupied;
    }
    if (gpu.nodes.size() > 1 && use.nodes.size() == 1) {
      process.partition = DeviceId{fmt::format("{}/xcp{}", gpu.id.text, use.nodes.front())};
    }
  }
  std::vector<GpuProcess> result;
  result.reserve(merged.size());
  for (auto& [pid, process] : merged) result.push_back(std::move(process));
  return result;
}

}  // namespace

std::unique_ptr<Backend> make_amdgpu_backend(const SysfsSource& source) {
  return std::make_unique<AmdgpuBackend>(source);
}

}  // namespace gpukeeper
