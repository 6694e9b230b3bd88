#include "attribution/process_reader.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

#include <unistd.h>

#include <fmt/format.h>

#include "attribution/ancestry.hpp"
#include "attribution/cgroup.hpp"
#include "attribution/command_line.hpp"
#include "core/text.hpp"

namespace gpukeeper {
namespace {

std::string folder_of(std::int64_t pid) {
  return "/proc/" + std::to_string(pid);
}

std::uint64_t configured(int name, std::uint64_t usual) {
  const long value = ::sysconf(name);
  return value > 0 ? static_cast<std::uint64_t>(value) : usual;
}

constexpr std::string_view kLease = "GPUKEEPER_LEASE=";

// Of /proc/PID/environ, whose variables end with a zero each: the lease that it names, 0 for none. Of several with that
// name the first one counts, as for getenv(3).
std::uint64_t lease_of(std::string_view environment) {
  while (!environment.empty()) {
    const std::string_view variable = environment.substr(0, environment.find('\0'));
    if (variable.starts_with(kLease)) return parse_u64(variable.substr(kLease.size())).value_or(0);
    environment.remove_prefix(std::min(environment.size(), variable.size() + 1));
  }
  return 0;
}

// "Uid:\t1000\t1000\t1000\t1000": what follows a key.
std::optional<std::string_view> status_value(std::string_view status, std::string_view key) {
  // A name stands in the first line and may hold a line end, but the kernel escapes it there.
  for (const auto line : lines(status)) {
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ':') {
      return trim(line.substr(key.size() + 1));
    }
  }
  return std::nullopt;
}

}  // namespace

KernelUnits KernelUnits::of_this_machine() {
  return {configured(_SC_CLK_TCK, 100), configured(_SC_PAGESIZE, 4096)};
}

Missing missing_in_proc(Errc code) {
  switch (code) {
    case Errc::not_permitted:
    case Errc::unavailable: return Missing::not_permitted;  // EPERM: how /proc answers with hidepid=1
    case Errc::not_supported: return Missing::not_supported;
    default: return Missing::failed;
  }
}

Result<ProcessStat> ProcessReader::stat(std::int64_t pid) const {
  const std::string path = folder_of(pid) + "/stat";
  const auto text = files_.read(path);
  if (!text) return tl::make_unexpected(text.error());
  auto stat = parse_process_stat(*text);
  // A process that ends while its file is open leaves an empty one.
  if (!stat && text->empty()) return fail(Errc::not_found, fmt::format("read {}: the process has ended", path));
  if (!stat || stat->pid != pid) return fail(Errc::internal, fmt::format("read {}: it is no line of proc(5)", path));
  return std::move(*stat);
}

bool ProcessReader::hides() const {
  const auto first = files_.read("/proc/1/stat");  // there is always a process 1, and it is another user's
  return !first;
}

std::chrono::nanoseconds ProcessReader::cpu_time(const ProcessStat& stat) const {
  const auto seconds = stat.cpu_ticks / units_.ticks_per_second;
  const auto rest = stat.cpu_ticks % units_.ticks_per_second;
  return std::chrono::seconds(seconds) + std::chrono::nanoseconds(rest * 1'000'000'000 / units_.ticks_per_second);
}

std::optional<ProcessReader::Identity> ProcessReader::identity(const ProcessStat& stat, MonotonicTime now) {
  const std::string folder = folder_of(stat.pid);
  Identity identity;
  ProcessFacts& facts = identity.facts;
  facts.pid = stat.pid;
  facts.command = stat.name;
  facts.start_ticks = stat.start_ticks;
  facts.started = started(stat, now);
  read_status(folder, now, facts);
  if (auto cmdline = files_.read(folder + "/cmdline")) {
    const auto arguments = arguments_of(*cmdline);
    facts.command_line = arguments.empty() ? ProcessFacts::Text(missing(Missing::not_supported))
                                           : ProcessFacts::Text(shown_command_line(arguments));
    identity.cmdline = std::move(*cmdline);
  } else {
    facts.command_line = missing(missing_in_proc(cmdline.error().code));
  }
  facts.executable = executable(folder, stat);
  if (const auto cgroup = files_.read(folder + "/cgroup")) {
    facts.place = parse_cgroup(*cgroup);
  } else {
    facts.place = missing(missing_in_proc(cgroup.error().code));
  }
  const auto forebear_of = [this](std::int64_t pid) { return forebear(pid); };
  facts.root = interactive_root(stat, forebear_of);
  facts.forebears = forebears(stat, forebear_of);
  // The rest of it is nobody's business, and is kept nowhere.
  if (const auto environment = files_.read(folder + "/environ")) facts.lease = lease_of(*environment);

  // Several files make one process only if it was the same one all the while.
  const auto again = this->stat(stat.pid);
  if (!again || again->start_ticks != stat.start_ticks) return std::nullopt;
  return identity;
}

void ProcessReader::read_status(const std::string& folder, MonotonicTime now, ProcessFacts& facts) {
  const auto status = files_.read(folder + "/status");
  const auto reason = status ? Missing::failed : missing_in_proc(status.error().code);
  facts.uid = missing(reason);
  facts.user = missing(reason);
  facts.pid_in_namespace = missing(reason);
  if (!status) return;
  if (const auto value = status_value(*status, "Uid")) {
    const auto uid = parse_u64(value->substr(0, value->find_first_of(" \t")));  // the real one
    if (uid && *uid <= std::numeric_limits<std::uint32_t>::max()) {
      facts.uid = static_cast<std::uint32_t>(*uid);
      facts.user = users_.name(*facts.uid, now);
    }
  }
  // "NSpid:\t4711\t12\t1": as each pid namespace counts, its own last. Kernels before 4.1 do not have it.
  if (const auto value = status_value(*status, "NSpid")) {
    const auto own = parse_i64(value->substr(value->find_last_of(" \t") + 1));
    if (own) facts.pid_in_namespace = *own;
  } else {
    facts.pid_in_namespace = missing(Missing::not_supported);
  }
}

Metric<std::string> ProcessReader::executable(const std::string& folder, const ProcessStat& stat) const {
  if (stat.kernel_thread()) return missing(Missing::not_supported);  // it has none
  const auto link = files_.read_link(folder + "/exe");
  if (!link) return missing(missing_in_proc(link.error().code));
  return *link;
}

Metric<WallTime> ProcessReader::started(const ProcessStat& stat, MonotonicTime now) {
  constexpr auto kPeriod = std::chrono::minutes(5);  // setting the clock moves the time of boot
  if (!boot_seconds_ || now - boot_read_at_ >= kPeriod) {
    boot_read_at_ = now;
    const auto done = files_.each_line("/proc/stat", [&](std::string_view line) {
      if (!line.starts_with("btime ")) return true;
      if (const auto seconds = parse_u64(line.substr(6))) boot_seconds_ = *seconds;
      return false;
    });
    if (!done && !boot_seconds_) return missing(missing_in_proc(done.error().code));
  }
  // Nanoseconds in 64 bits end after 2^33 seconds.
  constexpr std::uint64_t kMost = std::uint64_t{1} << 32;
  if (!boot_seconds_ || *boot_seconds_ > kMost || stat.start_ticks / units_.ticks_per_second > kMost) {
    return missing(Missing::failed);
  }
  const auto rest = stat.start_ticks % units_.ticks_per_second;
  return WallTime(std::chrono::duration_cast<WallTime::duration>(
      std::chrono::seconds(*boot_seconds_ + stat.start_ticks / units_.ticks_per_second) +
      std::chrono::milliseconds(rest * 1000 / units_.ticks_per_second)));
}

Metric<ProcessStat> ProcessReader::forebear(std::int64_t pid) {
  const auto [place, is_new] = forebears_.try_emplace(pid, missing(Missing::not_yet_read));
  if (is_new) {
    if (auto read = stat(pid)) {
      place->second = std::move(*read);
    } else {
      const bool hidden = read.error().code == Errc::not_found && hides();
      place->second = missing(hidden ? Missing::not_permitted : missing_in_proc(read.error().code));
    }
  }
  return place->second;
}

}  // namespace gpukeeper
