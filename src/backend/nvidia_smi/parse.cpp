#include "backend/nvidia_smi/parse.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <pugixml.hpp>

#include "backend/nvidia_smi/gpu_processes.hpp"
#include "backend/nvidia_smi/gpu_reading.hpp"
#include "backend/nvidia_smi/xml_field.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

using namespace nvidia_smi;

constexpr std::size_t kMaxBytes = std::size_t{8} << 20;  // sixteen GPUs with every supported clock are 2 MB
constexpr std::ptrdiff_t kMaxElements = 500'000;         // the same machine has 60,000
constexpr int kMaxDepth = 64;                            // the deepest element that was ever seen is the ninth
constexpr std::size_t kMaxPartitions = 64;               // MIG: seven GPU instances of at most seven compute instances

tl::unexpected<Error> refuse(std::string_view what) {
  return fail(Errc::invalid_argument, fmt::format("nvidia-smi XML: {}", what));
}

tl::unexpected<Error> refuse(std::string_view text, std::size_t offset, std::string_view what) {
  return refuse(fmt::format("{}: {}", place_in(text, offset), what));
}

// "26B910DE": the device's id before the vendor's.
Metric<std::string> pci_id(const Field& from) {
  const auto text = words(from);
  if (!text) return text;
  const auto value = parse_u64(*text, 16);
  if (!value || *value > 0xffffffff) return missing(Missing::failed);
  return fmt::format("{:04x}:{:04x}", *value & 0xffff, *value >> 16);
}

std::optional<PciAddress> pci_address(const pugi::xml_node& gpu) {
  if (const auto stated = field(gpu, "pci", "pci_bus_id"); stated.text) {
    if (const auto address = PciAddress::parse(*stated.text)) return address;
  }
  return PciAddress::parse(gpu.attribute("id").value());
}

Device device_of(const pugi::xml_node& log, const pugi::xml_node& gpu) {
  Device device;
  device.vendor = Vendor::nvidia;
  device.source = "nvidia-smi";
  device.pci = pci_address(gpu);
  // "GPU-…", and whatever else has no blank in it; put_in_order names those without one.
  if (const auto uuid = words(field(gpu, "uuid")); uuid && !has(*uuid, " ")) device.id.text = *uuid;
  device.pci_id = pci_id(field(gpu, "pci", "pci_device_id"));
  device.pci_subsystem_id = pci_id(field(gpu, "pci", "pci_sub_system_id"));
  if (const auto name = words(field(gpu, "product_name"))) {
    device.name = *name;
  } else {
    device.name = device.pci_id ? fmt::format("NVIDIA GPU [{}]", *device.pci_id) : "NVIDIA GPU";
  }
  // Under Windows (and WSL, which shows the host's) the driver model has a name, and the kernel driver is not "nvidia".
  if (!words(field(gpu, "driver_model", "current_dm"))) device.driver = "nvidia";
  device.driver_version = words(field(log, "driver_version"));
  device.cuda_version = words(field(log, "cuda_version"));
  device.vbios_version = words(field(gpu, "vbios_version"));
  device.serial = words(field(gpu, "serial"));
  device.board_part_number = words(field(gpu, "board_part_number"));
  device.architecture = words(field(gpu, "product_architecture"));
  if (const auto minor = number_in<Count>(field(gpu, "minor_number"), 0, 0xfffff)) {
    device.minor_number = static_cast<std::uint32_t>(minor->value());
  }
  return device;
}

// Its MIG instances, into `result`.
Partitions read_partitions(const pugi::xml_node& gpu, ToolGpu& result) {
  Partitions by_instance;
  for (const auto& mig : gpu.child("mig_devices").children("mig_device")) {
    if (result.partitions.size() == kMaxPartitions) break;
    const auto gpu_instance = count(field(mig, "gpu_instance_id"));
    const auto compute_instance = count(field(mig, "compute_instance_id"));
    ToolPartition partition;
    Device& device = partition.device;
    device = result.device;
    device.serial = device.board_part_number = missing(Missing::not_supported);
    device.minor_number = missing(Missing::not_supported);
    device.parent = result.device.id;
    const auto place =
        gpu_instance ? fmt::format("{}/{}", gpu_instance->value(), compute_instance ? compute_instance->value() : 0)
                     : fmt::format("?/{}", result.partitions.size());
    // Without a UUID of its own: the name that drivers before 470 gave it.
    const auto uuid = words(field(mig, "uuid"));
    device.id.text = uuid && !has(*uuid, " ")        ? *uuid
                     : result.device.id.text.empty() ? ""
                                                     : fmt::format("MIG-{}/{}", result.device.id.text, place);
    std::string where = gpu_instance ? fmt::format("GPU instance {}", gpu_instance->value()) : "GPU instance unknown";
    if (compute_instance) where += fmt::format(", compute instance {}", compute_instance->value());
    const auto profile = words(field(mig, "profile"));
    // What tells it from the others stands first: a narrow table cuts the rest.
    device.partition = fmt::format("{} ({})", profile ? std::string(*profile) : "MIG " + place, where);
    device.name = fmt::format("{} MIG {}", result.device.name, profile ? *profile : place);
    partition.reading = partition_reading_of(mig);
    by_instance.emplace(place, device.id);
    result.partitions.push_back(std::move(partition));
  }
  return by_instance;
}

// Where the document begins: behind a byte order mark, and behind warnings that nvidia-smi prints on lines of their own
// ("WARNING: infoROM is corrupted at gpu 0000:3B:00.0").
std::size_t start_of_document(std::string_view text) {
  std::size_t start = text.starts_with("\xef\xbb\xbf") ? 3 : 0;
  if (trim(text.substr(start)).starts_with('<')) return start;
  for (const auto* first : {"\n<?xml", "\n<!DOCTYPE", "\n<nvidia_smi_log"}) {
    if (const auto at = text.find(first, start); at != std::string_view::npos) return at + 1;
  }
  return start;
}

// What is refused before the XML library sees it.
Result<bool> acceptable(std::string_view text, std::size_t begin) {
  if (text.size() > kMaxBytes) return refuse(fmt::format("it is larger than {} MiB", kMaxBytes >> 20));
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    return refuse("it is UTF-16, as PowerShell's > writes it: save it as UTF-8 (| Out-File -Encoding utf8)");
  }
  const auto start = trim(text.substr(begin));
  if (start.empty()) return refuse("it is empty");
  if (start.front() != '<') return refuse(fmt::format("it is not XML; it begins with \"{}\"", opening(start)));
  if (const auto nul = text.find('\0'); nul != std::string_view::npos && nul < text.find_last_not_of('\0')) {
    return refuse(text, nul, "a NUL byte");
  }
  if (std::count(text.begin(), text.end(), '<') > 2 * kMaxElements) {
    return refuse(fmt::format("it has more than {} elements", kMaxElements));
  }
  // nvidia-smi names a DTD and declares nothing. Declarations are how XML bombs and file readers begin.
  if (const auto type = text.find("<!DOCTYPE"); type != std::string_view::npos) {
    const auto end = text.find_first_of("[>", type);
    if (end == std::string_view::npos) return refuse(text, type, "the DOCTYPE does not end");
    if (text[end] == '[')
      return refuse(text, end, "the DOCTYPE holds declarations of its own, which nvidia-smi never writes");
  }
  return true;
}

// Nothing when the tree is no deeper than allowed; else where it gets too deep.
std::optional<std::ptrdiff_t> too_deep(const pugi::xml_node& root) {
  int depth = 0;
  pugi::xml_node node = root;
  for (;;) {
    if (const auto child = node.first_child()) {
      node = child;
      if (++depth > kMaxDepth) return node.offset_debug();
      continue;
    }
    while (node != root && !node.next_sibling()) {
      node = node.parent();
      --depth;
    }
    if (node == root) return std::nullopt;
    node = node.next_sibling();
  }
}

}  // namespace

Result<ToolDocument> parse_nvidia_smi(std::string_view text) {
  const auto start = start_of_document(text);
  if (const auto fine = acceptable(text, start); !fine) return tl::make_unexpected(fine.error());
  while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
  const auto body = text.substr(start);
  const auto place = [start](std::ptrdiff_t offset) {
    return start + static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0));
  };

  pugi::xml_document xml;
  const auto parsed = xml.load_buffer(body.data(), body.size(), pugi::parse_escapes, pugi::encoding_utf8);
  if (!parsed) {
    const auto offset = place(parsed.offset);
    const bool cut = offset >= text.find_last_not_of(" \t\r\n");
    return refuse(text, offset,
                  fmt::format("{}{}", parsed.description(), cut ? "; the document may have been cut off" : ""));
  }
  if (const auto deep = too_deep(xml)) {
    return refuse(text, place(*deep), fmt::format("nested deeper than {}", kMaxDepth));
  }
  const auto log = xml.child("nvidia_smi_log");
  if (!log) {
    return refuse(
        text, place(xml.document_element().offset_debug()),
        fmt::format("the root element is <{}>, not <nvidia_smi_log>", opening(xml.document_element().name())));
  }

  ToolDocument document;
  for (const auto& gpu : log.children("gpu")) {
    ToolGpu& one = document.gpus.emplace_back();
    one.device = device_of(log, gpu);
    one.reading = reading_of(gpu, one.device.name);
    one.trouble = trouble_of(gpu);
    const auto partitions = read_partitions(gpu, one);
    read_processes(gpu, one, partitions);
  }
  return document;
}

}  // namespace gpukeeper
