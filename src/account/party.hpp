#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "device/device.hpp"
#include "device/process_facts.hpp"

namespace gpukeeper::account {

/// A process that works under a lease, as the ledger has it.
struct LeasedProcess {
  DeviceId device;  ///< or partition
  std::int64_t pid = 0;
  std::uint64_t lease = 0;
  std::string service;  ///< of the lease; it may hold anything
};

/// For whom a process counts. Texts are as the kernel and clients gave them, so they may hold anything; an empty one
/// is not known, or there is none.
struct Party {
  std::string user;       ///< the name; the number where there is none
  std::string service;    ///< see party_of
  std::string container;  ///< "docker 4f1c09aa37de"
  std::string pod;        ///< its uid
  std::string job;        ///< of Slurm
  std::uint64_t lease = 0;
  ProcessClass kind = ProcessClass::unknown;  ///< of work
  friend auto operator<=>(const Party&, const Party&) = default;
};

/// Of a process: `facts` null where nothing is known of it, `leased` null where it works under no lease.
///
/// Its service is that of its lease; else its systemd unit without ".service", where it is a service's; else "job …",
/// "pod …" or the container that it is in. A process in a login session is of no service.
Party party_of(const ProcessFacts* facts, const LeasedProcess* leased);

/// The service of what runs in a pod and has no other.
std::string service_of_pod(std::string_view uid);

}  // namespace gpukeeper::account
