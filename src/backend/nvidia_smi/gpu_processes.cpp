#include "backend/nvidia_smi/gpu_processes.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "backend/nvidia_smi/xml_field.hpp"
#include "core/text.hpp"

namespace gpukeeper::nvidia_smi {
namespace {

// The executable's name: without its folder and, as far as they can be told apart, without its arguments. Newer drivers
// print a whole command line ("/opt/browser/browser --type=gpu-process --dir=/tmp"), and folders may hold blanks.
std::string executable_name(std::string_view command) {
  for (const auto* start : {" -", " /"}) command = command.substr(0, command.find(start));
  const bool windows = has(command, ":\\") || command.starts_with('\\');
  const auto slash = command.find_last_of(windows ? "\\/" : "/");
  if (slash != std::string_view::npos && slash + 1 < command.size()) command.remove_prefix(slash + 1);
  return printable(trim(command).substr(0, 128));
}

ProcessType type_in(std::string_view text) {
  ProcessType type;
  for (const auto letter : split(text, '+')) {
    const auto word = trim(letter);
    if (word == "C") type.compute = true;
    if (word == "G") type.graphics = true;
    if (word == "M") type.mps = true;
  }
  return type;
}

// The instance that a process names, among the GPU's partitions.
std::optional<DeviceId> partition_of(const pugi::xml_node& process, const Partitions& partitions) {
  if (partitions.empty()) return std::nullopt;
  const auto gpu_instance = count(field(process, "gpu_instance_id"));
  const auto compute_instance = count(field(process, "compute_instance_id"));
  if (!gpu_instance) return std::nullopt;
  const auto found =
      partitions.find(fmt::format("{}/{}", gpu_instance->value(), compute_instance ? compute_instance->value() : 0));
  return found == partitions.end() ? std::nullopt : std::optional(found->second);
}

// One process in one instance; several entries of it are its contexts, each with the memory of them all.
struct Merged {
  GpuProcess process;
  std::map<std::string, Bytes> memory;  // by instance
  std::set<std::optional<DeviceId>> partitions;
};

void merge(Merged& into, const pugi::xml_node& entry, bool compute_list, const Partitions& partitions) {
  GpuProcess& process = into.process;
  const auto type = field(entry, "type");
  const auto kind = type.text ? type_in(*type.text) : ProcessType{.compute = compute_list};
  process.type.compute |= kind.compute;
  process.type.graphics |= kind.graphics;
  process.type.mps |= kind.mps;
  if (process.name.empty()) {
    if (const auto name = words(field(entry, "process_name"))) process.name = executable_name(*name);
  }
  const auto used = bytes(field(entry, "used_memory"));
  const auto partition = partition_of(entry, partitions);
  into.partitions.insert(partition);
  if (used) {
    const auto [place, fresh] = into.memory.emplace(partition ? partition->text : "", *used);
    if (!fresh) place->second = std::max(place->second, *used);
  } else if (into.memory.empty() && !process.memory && process.memory.error() == Missing::not_supported) {
    process.memory = missing(used.error());
  }
}

}  // namespace

void read_processes(const pugi::xml_node& gpu, ToolGpu& result, const Partitions& partitions) {
  const auto block = first_block(gpu, {"processes", "compute_processes"});
  const auto text = own_text(block);
  if (!block || (!text.empty() && to_lower(text) != "none" && !block.child("process_info"))) {
    const bool refused = reason_in(text) == Missing::not_permitted;
    result.processes = fail(refused ? Errc::not_permitted : Errc::not_supported,
                            text.empty() ? "nvidia-smi lists no processes for this GPU"
                                         : fmt::format("nvidia-smi says \"{}\"", opening(text)));
    return;
  }
  const bool compute_list = std::string_view(block.name()) == "compute_processes";  // the oldest schemas give no type
  std::map<std::int64_t, Merged> merged;
  for (const auto& entry : block.children("process_info")) {
    ++result.process_entries;
    const auto pid = count(field(entry, "pid"));
    if (!pid || pid->value() == 0 || pid->value() > 0x7fffffff) continue;
    auto& one = merged[static_cast<std::int64_t>(pid->value())];
    one.process.pid = static_cast<std::int64_t>(pid->value());
    merge(one, entry, compute_list, partitions);
  }
  std::vector<GpuProcess> list;
  list.reserve(merged.size());
  for (auto& [pid, one] : merged) {
    if (!one.memory.empty()) {
      Bytes total(0);
      for (const auto& [instance, used] : one.memory) total = total + used;
      one.process.memory = total;
    }
    if (one.partitions.size() == 1) one.process.partition = *one.partitions.begin();
    list.push_back(std::move(one.process));
  }
  result.processes = std::move(list);
}

}  // namespace gpukeeper::nvidia_smi
