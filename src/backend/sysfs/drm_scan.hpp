#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "backend/sysfs/fdinfo.hpp"
#include "core/clock.hpp"
#include "core/result.hpp"
#include "device/gpu_process.hpp"
#include "device/pci_address.hpp"

namespace gpukeeper {

/// The busy share of each class of engines. not_supported where the driver names no engine of the class, not_yet_read
/// until there are two readings to subtract.
class EngineShares {
 public:
  Metric<Percent>& operator[](EngineClass kind) { return shares_[static_cast<std::size_t>(kind)].value; }
  const Metric<Percent>& operator[](EngineClass kind) const { return shares_[static_cast<std::size_t>(kind)].value; }

  /// Adds what another client did, to at most 100; a known share wins over an absent one.
  void add(EngineClass kind, const Metric<Percent>& share);

  /// The share of the busiest class: a process that fills one engine is as busy as it can be there.
  Metric<Percent> busiest() const;

 private:
  struct Share {
    Metric<Percent> value = missing(Missing::not_supported);
  };
  std::array<Share, kEngineClasses> shares_;
};

/// One process on one GPU, over all its clients that no process with a lower pid shares.
struct DrmProcess {
  std::int64_t pid = 0;
  std::string name;  ///< /proc/PID/comm; empty when it could not be read
  ProcessType type;
  bool has_memory = false;  ///< whether the driver says anything of memory
  Bytes device_memory{0};   ///< in the device's own memory
  Bytes system_memory{0};   ///< in system memory that the GPU uses: GTT, and everything on an integrated GPU
  EngineShares busy;
};

/// What the DRM clients of one GPU add up to.
struct DrmDevice {
  std::string driver;
  std::vector<DrmProcess> processes;  ///< ordered by pid
  EngineShares busy;                  ///< summed over clients; a lower bound where the scan is not complete
  Bytes device_memory{0};
  Bytes system_memory{0};
};

/// One look over the machine's processes.
struct DrmScan {
  MonotonicTime taken_at{};
  bool valid = false;  ///< false: /proc could not be looked at, and `error` says why
  Error error{Errc::unavailable, "the processes were not looked at yet"};
  bool complete = true;                     ///< false while one of the next three says that something is left out
  std::size_t hidden = 0;                   ///< processes of other users that could not be looked at
  bool others_unlisted = false;             ///< /proc does not even list them (mounted with hidepid)
  std::size_t unseen = 0;                   ///< not looked at yet: the first walk over thousands is cut into pieces
  std::map<PciAddress, DrmDevice> devices;  ///< those that some process has open
  std::set<std::int64_t> kfd_pids;          ///< processes that hold /dev/kfd: AMD compute

  /// Why a sum over the clients is no figure of the device where the scan is not complete.
  Missing why_incomplete() const {
    return hidden > 0 || others_unlisted ? Missing::not_permitted : Missing::not_yet_read;
  }

  /// The clients of one device; an empty one when nobody has it open.
  const DrmDevice& device(const PciAddress& address) const;
};

/// A process as backends hand it out. `unified`: the GPU has no memory of its own worth the name, so system memory
/// counts.
GpuProcess to_gpu_process(const DrmProcess& process, bool unified);

/// The processes of one device, ordered by pid.
/// Errors: that of the scan; not_permitted (unavailable while the first walk lasts) when none was found but not all
/// were looked at, as an empty list would be a claim that nobody made.
Result<std::vector<GpuProcess>> drm_processes_of(const DrmScan& scan, const PciAddress& address, bool unified);

}  // namespace gpukeeper
