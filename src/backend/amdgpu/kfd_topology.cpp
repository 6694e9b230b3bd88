#include "backend/amdgpu/kfd_topology.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include <fmt/format.h>

#include "backend/sysfs/sysfs_value.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

const std::string kTopology = "/sys/class/kfd/kfd/topology";
const std::string kProcesses = "/sys/class/kfd/kfd/proc";
constexpr std::uint64_t kXgmi = 11;  // HSA_IOLINKTYPE_XGMI, hsakmttypes.h and kfd_crat.h

// A properties file: lines of "name value".
using Properties = std::map<std::string, std::uint64_t, std::less<>>;

std::optional<Properties> read_properties(const Files& files, const std::string& path) {
  const auto text = files.read(path);
  if (!text) return std::nullopt;
  Properties properties;
  for (const auto line : lines(*text)) {
    const auto blank = line.find(' ');
    if (blank == std::string_view::npos) continue;
    if (const auto value = parse_u64(line.substr(blank))) properties.emplace(line.substr(0, blank), *value);
  }
  return properties;
}

std::uint64_t value_of(const Properties& properties, std::string_view name) {
  const auto found = properties.find(name);
  return found == properties.end() ? 0 : found->second;
}

Bytes read_memory(const Files& files, const std::string& folder) {
  std::uint64_t total = 0;
  const auto banks = files.list(folder + "/mem_banks");
  if (!banks) return Bytes(0);
  for (const auto& bank : *banks) {
    const auto properties = read_properties(files, fmt::format("{}/mem_banks/{}/properties", folder, bank));
    if (!properties) continue;
    // 1 and 2 are the frame buffer, seen by the CPU and not (enum HSA_HEAPTYPE); 0 is system memory.
    const auto heap = value_of(*properties, "heap_type");
    if (heap == 1 || heap == 2) total += value_of(*properties, "size_in_bytes");
  }
  return Bytes(total);
}

std::vector<std::uint32_t> read_xgmi_peers(const Files& files, const std::string& folder) {
  std::vector<std::uint32_t> peers;
  const auto links = files.list(folder + "/io_links");
  if (!links) return peers;
  for (const auto& link : *links) {
    const auto properties = read_properties(files, fmt::format("{}/io_links/{}/properties", folder, link));
    if (properties && value_of(*properties, "type") == kXgmi) {
      peers.push_back(static_cast<std::uint32_t>(value_of(*properties, "node_to")));
    }
  }
  return peers;
}

std::optional<KfdNode> read_node(const Files& files, const std::string& name) {
  const std::string folder = fmt::format("{}/nodes/{}", kTopology, name);
  const auto number = numbered(name, "");
  const auto properties = number ? read_properties(files, folder + "/properties") : std::nullopt;
  if (!properties || value_of(*properties, "simd_count") == 0) return std::nullopt;  // a CPU, or hidden from us
  KfdNode node;
  node.number = *number;
  const auto location = value_of(*properties, "location_id");
  const auto domain = value_of(*properties, "domain");
  node.pci.domain = static_cast<std::uint32_t>(domain);
  node.pci.bus = static_cast<std::uint8_t>(location >> 8 & 0xff);
  node.pci.device = static_cast<std::uint8_t>(location >> 3 & 0x1f);
  node.place = static_cast<std::uint32_t>(location & 7);
  node.vendor_id = static_cast<std::uint16_t>(value_of(*properties, "vendor_id"));
  node.device_id = static_cast<std::uint16_t>(value_of(*properties, "device_id"));
  if (const auto version = value_of(*properties, "gfx_target_version"); version != 0) {
    node.architecture = gfx_name(version);
  }
  node.unique_id = value_of(*properties, "unique_id");
  const auto simds = value_of(*properties, "simd_per_cu");
  if (simds != 0) node.compute_units = static_cast<std::uint32_t>(value_of(*properties, "simd_count") / simds);
  node.render_minor = static_cast<std::uint32_t>(value_of(*properties, "drm_render_minor"));
  node.has_cpu_cores = value_of(*properties, "cpu_cores_count") != 0;
  node.gpu_id = read_count(files, folder + "/gpu_id").value_or(0);
  node.memory = read_memory(files, folder);
  // A large machine has thousands of link files, but only GPUs of a hive can have xGMI ones.
  if (value_of(*properties, "hive_id") != 0) node.xgmi_peers = read_xgmi_peers(files, folder);
  return node;
}

}  // namespace

std::string gfx_name(std::uint64_t gfx_target_version) {
  return fmt::format("gfx{}{:x}{:x}", gfx_target_version / 10000, gfx_target_version / 100 % 100,
                     gfx_target_version % 100);
}

std::vector<KfdNode> read_kfd_nodes(const Files& files) {
  std::vector<KfdNode> nodes;
  const auto names = files.list(kTopology + "/nodes");
  if (!names) return nodes;
  for (const auto& name : *names) {
    if (auto node = read_node(files, name)) nodes.push_back(*std::move(node));
  }
  std::sort(nodes.begin(), nodes.end(), [](const KfdNode& a, const KfdNode& b) {
    return std::tie(a.pci, a.place, a.number) < std::tie(b.pci, b.place, b.number);
  });
  return nodes;
}

std::string kfd_generation(const Files& files) {
  const auto text = files.read(kTopology + "/generation_id");
  return text ? std::string(trim(*text)) : std::string();
}

std::vector<KfdProcess> read_kfd_processes(const Files& files, const std::vector<std::uint64_t>& gpu_ids) {
  std::vector<KfdProcess> processes;
  const auto names = files.list(kProcesses);
  if (!names) return processes;
  for (const auto& name : *names) {
    const auto pid = numbered(name, "");
    if (!pid) continue;
    const std::string folder = fmt::format("{}/{}", kProcesses, name);
    for (const auto gpu_id : gpu_ids) {
      const auto memory = read_count(files, fmt::format("{}/vram_{}", folder, gpu_id));
      if (!memory) continue;
      KfdProcess process{*pid, gpu_id, Bytes(*memory), std::nullopt};
      const auto units = read_count(files, fmt::format("{}/stats_{}/cu_occupancy", folder, gpu_id));
      if (units && *units <= 0xffff) process.compute_units = static_cast<std::uint32_t>(*units);
      // Every process that opened the compute driver is listed on every GPU; without memory it only looked.
      if (*memory == 0 && process.compute_units.value_or(0) == 0) continue;
      processes.push_back(process);
    }
  }
  std::sort(processes.begin(), processes.end(), [](const KfdProcess& a, const KfdProcess& b) {
    return std::tie(a.pid, a.gpu_id) < std::tie(b.pid, b.gpu_id);
  });
  return processes;
}

}  // namespace gpukeeper
