#include "machine/network.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "machine/rate.hpp"

namespace gpukeeper {
namespace {

constexpr std::size_t kMostInterfaces = 1024;

std::vector<std::string_view> words(std::string_view line) {
  auto result = split(line, ' ');
  std::erase(result, std::string_view());
  return result;
}

// The flag that an administrator sets (IFF_UP of netdevice(7)), and what the link itself says (operstate of RFC 2863).
std::optional<bool> is_up(const Files& files, const std::string& name) {
  const std::string folder = "/sys/class/net/" + name;
  const auto flags = files.read(folder + "/flags");
  if (!flags) return std::nullopt;
  std::string_view digits = trim(*flags);
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  const auto bits = parse_u64(digits, 16);
  if (!bits) return std::nullopt;
  const auto state = files.read(folder + "/operstate");
  const std::string_view word = state ? trim(*state) : "unknown";  // of the loopback, and of tunnels
  return (*bits & 1) != 0 && (word == "up" || word == "unknown");
}

}  // namespace

NetworkLook parse_network(std::string_view text) {
  NetworkLook result;
  for (const std::string_view line : lines(text)) {
    const auto colon = line.rfind(':');  // an alias has one in its name
    if (colon == std::string_view::npos || result.size() >= kMostInterfaces) continue;
    const std::string_view name = trim(line.substr(0, colon));
    const auto fields = words(line.substr(colon + 1));
    if (name.empty() || name.find('/') != std::string_view::npos || fields.size() < 10) continue;
    const auto received = parse_u64(fields[0]);
    const auto received_packets = parse_u64(fields[1]);
    const auto sent = parse_u64(fields[8]);
    const auto sent_packets = parse_u64(fields[9]);
    if (!received || !received_packets || !sent || !sent_packets) continue;
    result[std::string(name)] = {*received, *received_packets, *sent, *sent_packets};
  }
  return result;
}

// Two lines: "Tcp: RtoAlgorithm … CurrEstab …" and "Tcp: 1 … 42 …".
std::optional<std::uint64_t> parse_connections(std::string_view snmp) {
  std::optional<std::size_t> column;
  for (const std::string_view line : lines(snmp)) {
    if (!line.starts_with("Tcp:")) continue;
    const auto fields = words(line);
    if (column) return *column < fields.size() ? parse_u64(fields[*column]) : std::nullopt;
    const auto found = std::ranges::find(fields, std::string_view("CurrEstab"));
    if (found == fields.end()) return std::nullopt;
    column = static_cast<std::size_t>(found - fields.begin());
  }
  return std::nullopt;
}

NetworkFacts network_facts(const Files& files, const KernelCalls& calls, const NetworkLook& before,
                           const NetworkLook& now, std::chrono::nanoseconds between) {
  NetworkFacts facts;
  auto addresses = calls.addresses();
  for (const auto& [name, counters] : now) {
    const auto earlier = before.find(name);
    const auto grown = [&, &current = counters](std::uint64_t NetworkCounters::*counter) {
      const auto then = earlier == before.end() ? std::nullopt : std::optional(earlier->second.*counter);
      return rate(then, current.*counter, between);
    };
    facts.interfaces.push_back({.name = name,
                                .counters = counters,
                                .received_bytes_per_second = grown(&NetworkCounters::received_bytes),
                                .sent_bytes_per_second = grown(&NetworkCounters::sent_bytes),
                                .is_up = is_up(files, name),
                                .addresses = addresses[name]});
  }
  if (const auto snmp = files.read("/proc/net/snmp")) facts.connections = parse_connections(*snmp);
  return facts;
}

}  // namespace gpukeeper
