#include "service/documented/machine_objects.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iterator>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace gpukeeper::service::documented {
namespace {

constexpr Percent kHighCpu{70};
constexpr Percent kHighMemory{80};

double one_decimal(double value) {
  return std::round(value * 10) / 10;
}

Json share(const std::optional<Percent>& value) {
  return value ? Json(one_decimal(value->value())) : Json();
}

Json number(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

template <class Quantity>
Json value_or_null(const std::optional<Quantity>& quantity) {
  return quantity ? Json(quantity->value()) : Json();
}

Json mib(Bytes size) {
  return size.value() >> 20;
}

Json mib(const std::optional<Bytes>& size) {
  return size ? mib(*size) : Json();
}

Json text_or_null(const Metric<std::string>& text) {
  return text ? Json(*text) : Json();
}

// The words of psutil for the letters of proc(5).
std::string_view status_word(char state) {
  switch (state) {
    case 'R': return "running";
    case 'S': return "sleeping";
    case 'D': return "disk-sleep";
    case 'T': return "stopped";
    case 't': return "tracing-stop";
    case 'Z': return "zombie";
    case 'X': return "dead";
    case 'I': return "idle";
    default: return "unknown";
  }
}

struct NamedKind {
  std::string_view type;
  std::span<const std::string_view> names;  // of executables, or what they begin with up to a digit or a dash
};

constexpr std::string_view kBackup[] = {"rsync",  "borg",   "restic", "duplicity",
                                        "rclone", "bacula", "kopia",  "rsnapshot"};
constexpr std::string_view kDevelopment[] = {"gcc",   "g++",   "cc1",   "cc1plus", "clang", "clang++", "ld",     "make",
                                             "ninja", "cmake", "cargo", "rustc",   "go",    "gradle",  "javac",  "node",
                                             "npm",   "tsc",   "code",  "git",     "gdb",   "bazel",   "ccache", "vim"};
constexpr std::string_view kDatabase[] = {"postgres", "mysqld",     "mariadbd", "mongod",        "redis-server",
                                          "valkey",   "clickhouse", "influxd",  "elasticsearch", "cassandra",
                                          "etcd",     "prometheus", "memcached"};
constexpr std::string_view kSystem[] = {
    "init",  "systemd", "dbus-daemon", "dbus-broker",    "sshd",       "cron",    "rsyslogd", "udevd",     "polkitd",
    "getty", "agetty",  "login",       "NetworkManager", "containerd", "dockerd", "kubelet",  "irqbalance"};
constexpr std::array<NamedKind, 4> kNamed = {
    {{"backup", kBackup}, {"development", kDevelopment}, {"database", kDatabase}, {"system", kSystem}}};

// Whether a program of that name is meant: "gcc", "gcc-12" and "systemd-journald", but no "gccx".
bool fits(std::string_view program, std::string_view name) {
  if (!program.starts_with(name)) return false;
  const std::string_view rest = program.substr(name.size());
  return rest.empty() || rest.front() == '-' || (rest.front() >= '0' && rest.front() <= '9');
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

Json runtime(const BusyProcess& process, WallTime now) {
  if (!process.facts.started) return nullptr;
  return std::max(0.0, std::chrono::duration<double>(now - *process.facts.started).count());
}

Json process_object(const BusyProcess& process, WallTime now, CommandLines command_lines) {
  const bool shown = command_lines == CommandLines::shown;
  return {{"pid", process.stat.pid},
          {"name", process.stat.name},
          {"cpu_percent", share(process.cpu)},
          {"memory_mb", mib(process.resident)},
          {"memory_percent", one_decimal(process.memory.value())},
          {"status", status_word(process.stat.state)},
          {"username", text_or_null(process.facts.user)},
          {"command_line", shown ? text_or_null(process.facts.command_line) : Json()},
          {"process_type", system_process_type(process)},
          {"is_system_intensive", process.is_intensive()},
          {"runtime_seconds", runtime(process, now)}};
}

Json process_list(const std::vector<BusyProcess>& processes, WallTime now, CommandLines command_lines) {
  Json list = Json::array();
  for (const BusyProcess& process : processes) list.push_back(process_object(process, now, command_lines));
  return list;
}

Json swap_object(const MachineFacts& facts) {
  const MemoryFacts memory = facts.memory.value_or(MemoryFacts{});
  const bool known = memory.swap_total && memory.swap_free;
  Json used;
  Json used_share;
  if (known) {
    const Bytes in_use = remaining(*memory.swap_total, *memory.swap_free);
    const double total = static_cast<double>(memory.swap_total->value());
    used = mib(in_use);
    used_share = total > 0 ? one_decimal(100.0 * static_cast<double>(in_use.value()) / total) : 0.0;
  }
  return {{"total_mb", mib(memory.swap_total)},
          {"used_mb", std::move(used)},
          {"used_percent", std::move(used_share)},
          {"free_mb", mib(memory.swap_free)}};
}

Json disk_object(const DiskFacts& disk, double taken_at) {
  return {{"device", disk.mount.device},
          {"mountpoint", disk.mount.mount_point},
          {"filesystem", disk.mount.file_system},
          {"total_mb", mib(disk.space.total)},
          {"used_mb", mib(disk.space.used)},
          {"free_mb", mib(disk.space.free)},
          {"used_percent", share(disk.used_share())},
          {"io_read_bytes_per_sec", number(disk.read_bytes_per_second)},
          {"io_write_bytes_per_sec", number(disk.written_bytes_per_second)},
          {"io_read_count_per_sec", number(disk.reads_per_second)},
          {"io_write_count_per_sec", number(disk.writes_per_second)},
          {"timestamp", taken_at}};
}

std::optional<Percent> fullest(const std::vector<DiskFacts>& disks) {
  std::optional<Percent> most;
  for (const DiskFacts& disk : disks) {
    const auto used = disk.used_share();
    if (used && (!most || *used > *most)) most = used;
  }
  return most;
}

Json interface_object(const InterfaceFacts& interface, double taken_at) {
  return {{"name", interface.name},
          {"bytes_sent", interface.counters.sent_bytes},
          {"bytes_recv", interface.counters.received_bytes},
          {"packets_sent", interface.counters.sent_packets},
          {"packets_recv", interface.counters.received_packets},
          {"bytes_sent_per_sec", number(interface.sent_bytes_per_second)},
          {"bytes_recv_per_sec", number(interface.received_bytes_per_second)},
          {"is_up", interface.is_up ? Json(*interface.is_up) : Json()},
          {"addresses", interface.addresses},
          {"timestamp", taken_at}};
}

// Of all interfaces that have a rate; nothing where none has.
Json sum_of(const std::vector<InterfaceFacts>& interfaces, std::optional<double> InterfaceFacts::*rate) {
  std::optional<double> sum;
  for (const InterfaceFacts& each : interfaces) {
    if (each.*rate) sum = sum.value_or(0) + *(each.*rate);
  }
  return number(sum);
}

auto active_interfaces(const MachineFacts& facts) {
  return std::ranges::count_if(facts.network.interfaces,
                               [](const InterfaceFacts& each) { return each.is_up.value_or(false); });
}

}  // namespace

std::string_view system_process_type(const BusyProcess& process) {
  switch (process.facts.classification.kind) {
    case ProcessClass::mining: return "mining";
    case ProcessClass::ml_training:
    case ProcessClass::ml_inference:
    case ProcessClass::ml: return "ml";
    case ProcessClass::video: return "video";
    case ProcessClass::gaming: return "gaming";
    case ProcessClass::desktop:
    case ProcessClass::unknown: break;
  }
  if (process.stat.kernel_thread()) return "system";
  const std::string_view path = process.facts.executable ? std::string_view(*process.facts.executable) : "";
  for (const std::string_view program : {base_name(path), std::string_view(process.stat.name)}) {
    for (const NamedKind& kind : kNamed) {
      if (std::ranges::any_of(kind.names, [&](std::string_view name) { return fits(program, name); })) return kind.type;
    }
  }
  return "unknown";
}

std::string explanation(const MachineFacts& facts) {
  std::vector<std::string> high;
  const auto usage = facts.processors.usage;
  if (usage && *usage > kHighCpu) high.push_back(fmt::format("CPU usage {:.0f}%", usage->value()));
  if (facts.memory && facts.memory->used_share() > kHighMemory) {
    high.push_back(fmt::format("memory usage {:.0f}%", facts.memory->used_share().value()));
  }
  return high.empty() ? "System load normal" : fmt::format("System load high due to: {}", fmt::join(high, ", "));
}

Json cpu_object(const MachineFacts& facts) {
  const auto& processors = facts.processors;
  Json each = Json::array();
  for (const auto& usage : processors.each) each.push_back(share(usage));
  return {{"usage_percent", share(processors.usage)},
          {"per_core_usage", std::move(each)},
          {"frequency_mhz", value_or_null(processors.frequency)},
          {"frequency_max_mhz", value_or_null(processors.frequency_max)},
          {"temperature_celsius", value_or_null(processors.temperature)},
          {"load_average", processors.load_average ? Json(*processors.load_average) : Json()},
          {"core_count", processors.cores ? Json(*processors.cores) : Json()},
          {"thread_count", processors.threads > 0 ? Json(processors.threads) : Json()},
          {"timestamp", unix_time(facts.taken_at)}};
}

Json memory_object(const MachineFacts& facts) {
  Json object = {{"total_mb", nullptr},   {"available_mb", nullptr},
                 {"used_mb", nullptr},    {"used_percent", nullptr},
                 {"free_mb", nullptr},    {"cached_mb", nullptr},
                 {"buffers_mb", nullptr}, {"timestamp", unix_time(facts.taken_at)}};
  if (!facts.memory) return object;
  object["total_mb"] = mib(facts.memory->total);
  object["available_mb"] = mib(facts.memory->available);
  object["used_mb"] = mib(facts.memory->used());
  object["used_percent"] = one_decimal(facts.memory->used_share().value());
  object["free_mb"] = mib(facts.memory->free);
  object["cached_mb"] = mib(facts.memory->cached);
  object["buffers_mb"] = mib(facts.memory->buffers);
  return object;
}

Json cpu_answer(const MachineFacts& facts, CommandLines command_lines) {
  return {{"cpu", cpu_object(facts)},
          {"top_processes", process_list(facts.processes.by_cpu, facts.taken_at, command_lines)},
          {"timestamp", unix_time(facts.taken_at)}};
}

Json memory_answer(const MachineFacts& facts, CommandLines command_lines) {
  return {{"memory", memory_object(facts)},
          {"swap", swap_object(facts)},
          {"top_processes", process_list(facts.processes.by_memory, facts.taken_at, command_lines)},
          {"timestamp", unix_time(facts.taken_at)}};
}

Json disk_answer(const MachineFacts& facts) {
  const double taken_at = unix_time(facts.taken_at);
  Json disks = Json::array();
  Bytes used{0};
  Bytes free{0};
  for (const DiskFacts& disk : facts.disks) {
    disks.push_back(disk_object(disk, taken_at));
    used = used + disk.space.used;
    free = free + disk.space.free;
  }
  return {{"disks", std::move(disks)},
          {"summary",
           {{"total_disks", facts.disks.size()},
            {"max_usage_percent", share(fullest(facts.disks))},
            {"total_used_mb", mib(used)},
            {"total_free_mb", mib(free)}}},
          {"timestamp", taken_at}};
}

Json network_answer(const MachineFacts& facts) {
  const double taken_at = unix_time(facts.taken_at);
  const auto& network = facts.network;
  Json interfaces = Json::object();
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  for (const InterfaceFacts& each : network.interfaces) {
    interfaces[each.name] = interface_object(each, taken_at);
    sent += each.counters.sent_bytes;
    received += each.counters.received_bytes;
  }
  return {{"interfaces", std::move(interfaces)},
          {"summary",
           {{"total_bytes_sent", sent},
            {"total_bytes_recv", received},
            {"total_bytes_sent_per_sec", sum_of(network.interfaces, &InterfaceFacts::sent_bytes_per_second)},
            {"total_bytes_recv_per_sec", sum_of(network.interfaces, &InterfaceFacts::received_bytes_per_second)},
            {"active_connections", network.connections ? Json(*network.connections) : Json()},
            {"active_interfaces", active_interfaces(facts)}}},
          {"timestamp", taken_at}};
}

Json overview(const MachineFacts& facts) {
  const auto& processors = facts.processors;
  const auto& connections = facts.network.connections;
  const Json memory = memory_object(facts);
  return {
      {"monitoring_available", true},
      {"explanation", explanation(facts)},
      {"cpu",
       {{"usage_percent", share(processors.usage)},
        {"temperature", value_or_null(processors.temperature)},
        {"core_count", processors.cores ? Json(*processors.cores) : Json()}}},
      {"memory",
       {{"used_percent", memory["used_percent"]}, {"used_mb", memory["used_mb"]}, {"total_mb", memory["total_mb"]}}},
      {"disk", {{"total_disks", facts.disks.size()}, {"max_usage_percent", share(fullest(facts.disks))}}},
      {"network",
       {{"active_interfaces", active_interfaces(facts)},
        {"active_connections", connections ? Json(*connections) : Json()}}},
      {"processes", {{"total_monitored", facts.processes.count}, {"intensive_count", facts.processes.intensive}}},
      {"platform", "Linux"}};
}

}  // namespace gpukeeper::service::documented
