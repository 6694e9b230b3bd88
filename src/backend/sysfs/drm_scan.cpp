#include "backend/sysfs/drm_scan.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace gpukeeper {
namespace {

std::string count_of(std::size_t processes) {
  return processes == 1 ? "1 process" : fmt::format("{} processes", processes);
}

std::string to_list(const PciAddress& address) {
  return fmt::format("list the processes on {}", address.to_string());
}

// Why a scan that may not see everybody, and found nobody, is no empty list.
Error why_none(const DrmScan& scan, const PciAddress& address) {
  constexpr std::string_view kRemedy = "run as root, or grant CAP_SYS_PTRACE (setcap cap_sys_ptrace+ep gpukeeper)";
  if (scan.hidden > 0) {
    return {Errc::not_permitted,
            fmt::format("{}: {} could not be looked at: {}", to_list(address), count_of(scan.hidden), kRemedy)};
  }
  return {Errc::not_permitted, fmt::format("{}: /proc hides those of other users (it is mounted with hidepid): {}",
                                           to_list(address), kRemedy)};
}

}  // namespace

void EngineShares::add(EngineClass kind, const Metric<Percent>& share) {
  auto& mine = (*this)[kind];
  if (share && mine) {
    mine = Percent(std::min(100.0, mine->value() + share->value()));
  } else if (share || (!mine && share.error() == Missing::not_yet_read)) {
    mine = share;
  }
}

Metric<Percent> EngineShares::busiest() const {
  Metric<Percent> most = missing(Missing::not_supported);
  for (const auto& [share] : shares_) {
    if (share ? !most || *most < *share : !most && share.error() == Missing::not_yet_read) most = share;
  }
  return most;
}

const DrmDevice& DrmScan::device(const PciAddress& address) const {
  static const DrmDevice kNobody;
  const auto found = devices.find(address);
  return found == devices.end() ? kNobody : found->second;
}

GpuProcess to_gpu_process(const DrmProcess& process, bool unified) {
  GpuProcess result;
  result.pid = process.pid;
  result.found_in_proc = true;
  result.name = process.name;
  result.type = process.type;
  if (process.has_memory) {
    result.memory = unified ? process.device_memory + process.system_memory : process.device_memory;
  }
  result.utilization = process.busy.busiest();
  result.utilization_encoder = process.busy[EngineClass::encode];
  result.utilization_decoder = process.busy[EngineClass::decode];
  return result;
}

Result<std::vector<GpuProcess>> drm_processes_of(const DrmScan& scan, const PciAddress& address, bool unified) {
  if (!scan.valid) return tl::make_unexpected(scan.error);
  if (scan.unseen > 0) {  // whoever was found so far may be few of those who are there
    return fail(Errc::unavailable, fmt::format("{}: {} not looked at yet", to_list(address),
                                               count_of(scan.unseen) + (scan.unseen == 1 ? " was" : " were")));
  }
  const DrmDevice& device = scan.device(address);
  if (device.processes.empty() && !scan.complete) return tl::make_unexpected(why_none(scan, address));
  std::vector<GpuProcess> result;
  result.reserve(device.processes.size());
  for (const DrmProcess& process : device.processes) result.push_back(to_gpu_process(process, unified));
  return result;
}

}  // namespace gpukeeper
