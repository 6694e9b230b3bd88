#include "backend/nvml/attach.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "backend/nvml/codes.hpp"
#include "core/text.hpp"

namespace gpukeeper::nvml {

using namespace abi;

namespace {

// nvml.h: the longest text, the name of a device, has at most 96 characters.
using Buffer = std::array<char, 128>;

// A text of the library, whether it ended it or not.
std::string text_in(const Buffer& buffer) {
  const auto end = std::find(buffer.begin(), buffer.end(), '\0');
  return std::string(trim(std::string_view(buffer.data(), static_cast<std::size_t>(end - buffer.begin()))));
}

Device::Text to_text(Code code, const Buffer& buffer) {
  if (code != kSuccess) return missing(missing_from(code));
  auto text = text_in(buffer);
  if (text.empty() || text == "N/A" || text == "[N/A]") return missing(Missing::not_supported);
  return text;
}

// The plain functions fill only the old form of the address.
std::optional<PciAddress> address_of(PciInfo& pci) {
  pci.bus_id[sizeof pci.bus_id - 1] = '\0';
  pci.bus_id_legacy[sizeof pci.bus_id_legacy - 1] = '\0';
  const auto address = PciAddress::parse(pci.bus_id);
  return address ? address : PciAddress::parse(pci.bus_id_legacy);
}

// nvml.h, NVML_DEVICE_ARCH_…
Device::Text architecture_word(Code code, unsigned architecture) {
  if (code != kSuccess) return missing(missing_from(code));
  constexpr const char* kWords[] = {nullptr,  nullptr,  "Kepler",       "Maxwell", "Pascal",   "Volta",
                                    "Turing", "Ampere", "Ada Lovelace", "Hopper",  "Blackwell"};
  if (architecture < std::size(kWords) && kWords[architecture]) return std::string(kWords[architecture]);
  if (architecture == 13) return std::string("Rubin");
  return missing(Missing::not_supported);
}

double pcie_bytes_per_second(unsigned generation, unsigned width) {
  // A lane's payload after line coding, in bytes a second: PCI Express base specification, generations 1 to 6.
  constexpr double kLane[] = {0, 250e6, 500e6, 984.6e6, 1969.2e6, 3938.5e6, 7563e6};
  return generation < std::size(kLane) ? kLane[generation] * width : 0;
}

std::string cpu_list(const std::vector<unsigned long>& mask) {
  constexpr std::size_t kBits = 8 * sizeof(unsigned long);
  const auto has = [&](std::size_t cpu) { return cpu < kBits * mask.size() && (mask[cpu / kBits] >> cpu % kBits & 1); };
  std::string text;
  for (std::size_t cpu = 0; cpu < kBits * mask.size(); ++cpu) {
    if (!has(cpu)) continue;
    const auto first = cpu;
    while (has(cpu + 1)) ++cpu;
    if (!text.empty()) text += ',';
    text += first == cpu ? fmt::format("{}", first) : fmt::format("{}-{}", first, cpu);
  }
  return text;
}

/// Calls that stop making sense once one of them says that the device or the session is gone.
struct Asking {
  const Session& session;
  const Library& library = session.library();
  int& calls;
  Code ending = kSuccess;
  int unknown_in_a_row = 0;

  template <class... Params, class... Args>
  Code operator()(Code (*function)(Params...), Args... args) {
    if (ending != kSuccess) return ending;
    if (function) ++calls;
    const Code code = session.call(function, args...);
    unknown_in_a_row = code == kUnknown ? unknown_in_a_row + 1 : 0;
    if (ends_session(code) || loses_device(code) || unknown_in_a_row >= 3) ending = code;
    return code;
  }

  Device::Text text(Library::Text function, Handle handle) {
    Buffer buffer{};
    const Code code = (*this)(function, handle, buffer.data(), static_cast<unsigned>(buffer.size() - 1));
    return to_text(code, buffer);
  }
};

void find_links(Asking& ask, Handle handle, Found& found) {
  FieldValue value{};
  value.id = field::kNvlinkCount;
  value.code = kUnknown;
  if (ask(ask.library.field_values, handle, 1, &value) == kSuccess && value.code == kSuccess &&
      value.value.as_uint <= kNvlinkMost) {
    found.attached.nvlinks = value.value.as_uint;
    found.attached.nvlinks_known = true;
  } else if (ask.library.nvlink_state) {
    // Older drivers have no such field: a link that does not exist is an invalid argument, or not supported.
    unsigned state = 0;
    while (found.attached.nvlinks < kNvlinkMost &&
           ask(ask.library.nvlink_state, handle, found.attached.nvlinks, &state) == kSuccess) {
      ++found.attached.nvlinks;
    }
    found.attached.nvlinks_known = found.attached.nvlinks > 0;
  }
  std::map<std::string, std::uint32_t> peers;
  for (unsigned link = 0; link < found.attached.nvlinks; ++link) {
    unsigned type = kRemoteIsGpu;
    if (ask.library.nvlink_remote_type) {
      if (ask(ask.library.nvlink_remote_type, handle, link, &type) != kSuccess) continue;  // a link that is down
    }
    if (type == kRemoteIsSwitch) {
      ++peers["switch"];
      continue;
    }
    PciInfo remote{};
    if (ask(ask.library.nvlink_remote_pci, handle, link, &remote) != kSuccess) continue;
    const auto address = address_of(remote);
    if (address) ++peers[address->to_string()];
  }
  for (const auto& [peer, lanes] : peers) found.device.links.push_back({Link::Kind::nvlink, peer, lanes});
}

void find_constants(Asking& ask, Handle handle, Found& found) {
  Reading& constants = found.attached.constants;
  const auto threshold = [&](unsigned which) -> Metric<Celsius> {
    unsigned value = 0;
    const Code code = ask(ask.library.temperature_threshold, handle, which, &value);
    if (code != kSuccess) return missing(missing_from(code));
    if (value == 0 || value > 200) return missing(Missing::not_supported);
    return Celsius(value);
  };
  constants.temperature_slowdown = threshold(kThresholdSlowdown);
  constants.temperature_shutdown = threshold(kThresholdShutdown);
  constants.temperature_max_operating = threshold(kThresholdGpuMax);

  const auto max_clock = [&](unsigned which) -> Metric<Megahertz> {
    unsigned value = 0;
    const Code code = ask(ask.library.max_clock, handle, which, &value);
    if (code != kSuccess) return missing(missing_from(code));
    if (value == 0 || value == ~0u) return missing(Missing::not_supported);
    return Megahertz(value);
  };
  constants.clock_graphics_max = max_clock(kClockGraphics);
  constants.clock_sm_max = max_clock(kClockSm);
  constants.clock_memory_max = max_clock(kClockMemory);
  constants.clock_video_max = max_clock(kClockVideo);

  const auto link = [&](Library::Number function) -> Metric<Count> {
    unsigned value = 0;
    const Code code = ask(function, handle, &value);
    if (code != kSuccess) return missing(missing_from(code));
    if (value == 0 || value > 64) return missing(Missing::not_supported);
    return Count(value);
  };
  constants.pcie_generation_max = link(ask.library.pcie_generation_max);
  constants.pcie_width_max = link(ask.library.pcie_width_max);
  if (constants.pcie_generation_max && constants.pcie_width_max) {
    found.attached.pcie_bytes_per_second =
        pcie_bytes_per_second(static_cast<unsigned>(constants.pcie_generation_max->value()),
                              static_cast<unsigned>(constants.pcie_width_max->value()));
  }
}

}  // namespace

SystemFacts read_system_facts(const Session& session) {
  SystemFacts facts;
  const auto text = [&](Library::SystemText function) {
    Buffer buffer{};
    const Code code = session.call(function, buffer.data(), static_cast<unsigned>(buffer.size() - 1));
    return to_text(code, buffer);
  };
  facts.driver_version = text(session.library().driver_version);
  facts.library_version = text(session.library().library_version).map([](const std::string& v) { return "NVML " + v; });
  int cuda = 0;
  const Code code = session.call(session.library().cuda_driver_version, &cuda);
  if (code != kSuccess) {
    facts.cuda_version = missing(missing_from(code));
  } else if (cuda > 0) {
    facts.cuda_version = fmt::format("{}.{}", cuda / 1000, cuda % 1000 / 10);  // nvml.h, NVML_CUDA_DRIVER_VERSION_MAJOR
  }
  return facts;
}

Code find_device(const Session& session, Handle handle, const SystemFacts& system, Found& found) {
  Asking ask{.session = session, .calls = found.calls};
  const Library& library = session.library();
  Device& device = found.device;
  found.attached.handle = handle;
  device.vendor = Vendor::nvidia;
  device.source = "nvml";
  device.driver = "nvidia";
  device.driver_version = system.driver_version;
  device.library_version = system.library_version;
  device.cuda_version = system.cuda_version;

  PciInfo pci{};
  if (ask(library.pci_info, handle, &pci) == kSuccess) {
    device.pci = address_of(pci);
    device.pci_id = fmt::format("{:04x}:{:04x}", pci.device_id & 0xffff, pci.device_id >> 16);
    device.pci_subsystem_id = fmt::format("{:04x}:{:04x}", pci.subsystem_id & 0xffff, pci.subsystem_id >> 16);
  }
  const auto uuid = ask.text(library.uuid, handle);
  if (uuid) {
    device.id.text = *uuid;
  } else if (device.pci) {
    device.id.text = "PCI-" + device.pci->to_string();
  }
  device.name = ask.text(library.name, handle).value_or("NVIDIA GPU");
  device.serial = ask.text(library.serial, handle);
  device.vbios_version = ask.text(library.vbios_version, handle);
  device.board_part_number = ask.text(library.board_part_number, handle);
  unsigned architecture = 0;
  const Code architecture_code = ask(library.architecture, handle, &architecture);
  device.architecture = architecture_word(architecture_code, architecture);
  int major = 0;
  int minor = 0;
  const Code capability = ask(library.compute_capability, handle, &major, &minor);
  device.compute_capability =
      capability == kSuccess ? Device::Text(fmt::format("{}.{}", major, minor)) : missing(missing_from(capability));
  unsigned minor_number = 0;
  const Code minor_code = ask(library.minor_number, handle, &minor_number);
  if (minor_code == kSuccess) {
    device.minor_number = minor_number;
  } else {
    device.minor_number = missing(missing_from(minor_code));
  }
  if (ask.ending == kSuccess) found.mig_mode = read_mig_mode(session, handle, found.calls);
  find_constants(ask, handle, found);
  find_links(ask, handle, found);

  if (session.events) {
    // A device that does not know the MIG event may still know the other.
    Code code = ask(library.register_events, handle, kEventXid | kEventMigConfiguration, session.events);
    if (code == kNotSupported || code == kInvalidArgument)
      code = ask(library.register_events, handle, kEventXid, session.events);
    found.attached.xid = code == kSuccess ? Missing::not_yet_read : missing_from(code);
  }
  return device.id.text.empty() && ask.ending == kSuccess ? kUnknown : ask.ending;
}

Device::Text read_cpu_affinity(const Session& session, Handle handle, int& calls) {
  if (!session.library().cpu_affinity) return missing(Missing::not_supported);
  std::vector<unsigned long> mask(16);  // 1024 CPUs
  ++calls;
  const Code code =
      session.call(session.library().cpu_affinity, handle, static_cast<unsigned>(mask.size()), mask.data());
  if (code != kSuccess) return missing(missing_from(code));
  auto text = cpu_list(mask);
  if (text.empty()) return missing(Missing::not_supported);
  return text;
}

int read_mig_mode(const Session& session, Handle handle, int& calls) {
  if (!session.library().mig_mode) return -1;
  unsigned current = 0;
  unsigned pending = 0;
  ++calls;
  return session.call(session.library().mig_mode, handle, &current, &pending) == kSuccess ? current == 1 : -1;
}

std::vector<FoundPartition> find_partitions(const Session& session, Handle handle, const Device& parent, int& calls) {
  std::vector<FoundPartition> result;
  Asking ask{.session = session, .calls = calls};
  const Library& library = session.library();
  unsigned most = 0;
  if (ask(library.mig_count_max, handle, &most) != kSuccess) return result;
  most = std::min(most, 64u);
  for (unsigned index = 0; index < most && ask.ending == kSuccess; ++index) {
    Handle instance = nullptr;
    if (ask(library.mig_handle, handle, index, &instance) != kSuccess || !instance) continue;
    FoundPartition found;
    const auto uuid = ask.text(library.uuid, instance);
    if (!uuid) continue;
    unsigned gpu_instance = 0;
    unsigned compute_instance = 0;
    if (ask(library.gpu_instance_id, instance, &gpu_instance) == kSuccess) found.place.gpu_instance = gpu_instance;
    if (ask(library.compute_instance_id, instance, &compute_instance) == kSuccess) {
      found.place.compute_instance = compute_instance;
    }
    Attributes attributes{};
    const Code attributes_code = ask(library.attributes, instance, &attributes);
    const auto name = ask.text(library.name, instance);

    // The library calls it "NVIDIA H100 80GB HBM3 MIG 1g.10gb".
    std::string profile;
    if (const auto at = name ? name->rfind("MIG ") : std::string::npos; at != std::string::npos) {
      profile = name->substr(at + 4);
    } else if (attributes_code == kSuccess) {
      const auto slices = attributes.gpu_instance_slices;
      const auto computes = attributes.compute_instance_slices;
      const auto gigabytes = (attributes.memory_mib + 512) / 1024;
      profile = computes < slices ? fmt::format("{}c.{}g.{}gb", computes, slices, gigabytes)
                                  : fmt::format("{}g.{}gb", slices, gigabytes);
    } else {
      profile = fmt::format("MIG device {}", index);
    }
    std::string place;
    if (found.place.gpu_instance != kNoInstance) {
      place = fmt::format(" (GPU instance {}", found.place.gpu_instance);
      const bool shared =
          attributes_code == kSuccess && attributes.compute_instance_slices < attributes.gpu_instance_slices;
      if (shared && found.place.compute_instance != kNoInstance) {
        place += fmt::format(", compute instance {}", found.place.compute_instance);
      }
      place += ")";
    }

    Device& device = found.device;
    device = parent;
    device.links.clear();
    device.id.text = *uuid;
    device.parent = parent.id;
    device.partition = profile + place;
    device.name = name && name->size() > 4 ? *name : fmt::format("{} MIG {}", parent.name, profile);
    found.place.id = device.id;
    found.place.handle = instance;
    result.push_back(std::move(found));
  }
  return result;
}

}  // namespace gpukeeper::nvml
