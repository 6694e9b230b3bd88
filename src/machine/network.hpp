#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"
#include "machine/kernel_calls.hpp"

namespace gpukeeper {

/// What went over an interface since it came (/proc/net/dev).
struct NetworkCounters {
  std::uint64_t received_bytes = 0;
  std::uint64_t received_packets = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_packets = 0;
  friend bool operator==(const NetworkCounters&, const NetworkCounters&) = default;
};

using NetworkLook = std::map<std::string, NetworkCounters>;  ///< by the interface's name

/// What is no line of it is left out; so is what comes after the first 1,024 interfaces.
NetworkLook parse_network(std::string_view text);

/// Established TCP connections, from /proc/net/snmp; nothing where it does not say.
std::optional<std::uint64_t> parse_connections(std::string_view snmp);

struct InterfaceFacts {
  std::string name;
  NetworkCounters counters;
  std::optional<double> received_bytes_per_second;
  std::optional<double> sent_bytes_per_second;
  std::optional<bool> is_up;  ///< nothing where /sys does not tell
  std::vector<std::string> addresses;
};

struct NetworkFacts {
  std::vector<InterfaceFacts> interfaces;  ///< by name
  std::optional<std::uint64_t> connections;
};

NetworkFacts network_facts(const Files& files, const KernelCalls& calls, const NetworkLook& before,
                           const NetworkLook& now, std::chrono::nanoseconds between);

}  // namespace gpukeeper
