#include "actuators/process_freezer.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "actuators/cgroup_freezer.hpp"
#include "core/glob.hpp"
#include "core/text.hpp"
#include "proc/pid_namespace.hpp"
#include "proc/process_stat.hpp"

namespace gpukeeper {
namespace {

constexpr std::string_view kRunning = "running";
constexpr std::string_view kStopped = "stopped";

tl::unexpected<Error> failure(int error, std::int64_t pid, std::string_view what) {
  const Errc code = error == ESRCH ? Errc::not_found : error == ENOSYS ? Errc::not_supported : errc_from_errno(error);
  return fail(code, fmt::format("{} process {}: {}", what, pid, std::generic_category().message(error)));
}

Result<ProcessStat> stat_of(const Files& files, std::int64_t pid) {
  const auto text = files.read(fmt::format("/proc/{}/stat", pid));
  if (!text) return tl::make_unexpected(text.error());
  if (auto stat = parse_process_stat(*text)) return std::move(*stat);
  return fail(Errc::internal, fmt::format("read /proc/{}/stat: it is not understood", pid));
}

Result<ProcessStat> stat_of(const Files& files, const ProcessName& process) {
  auto stat = stat_of(files, process.pid);
  if (!stat) return stat;
  const bool ended = stat->start_ticks != process.start_ticks || stat->state == 'Z' || stat->state == 'X';
  if (ended) return fail(Errc::not_found, fmt::format("process {} has ended", process.pid));
  return stat;
}

std::string place_of(const ProcessName& process) {
  return fmt::format("process {} begun at {}", process.pid, process.start_ticks);
}

std::optional<ProcessName> parse_place(std::string_view place) {
  const auto words = split(place, ' ');
  if (words.size() != 5 || words[0] != "process" || words[2] != "begun" || words[3] != "at") return std::nullopt;
  const auto pid = parse_i64(words[1]);
  const auto start = parse_u64(words[4]);
  if (!pid || *pid <= 1 || !start) return std::nullopt;
  return ProcessName{*pid, *start};
}

class StopActuator final : public Actuator {
 public:
  StopActuator(const DeviceId& device, ProcessName process, const Files& files, Signals& signals)
      : name_{ActuatorKind::freeze, device, place_of(process)}, process_(process), files_(files), signals_(signals) {}

  const ActuatorName& name() const override { return name_; }

  Result<std::string> look() override {
    const auto stat = stat_of(files_, process_);
    if (!stat) return tl::make_unexpected(stat.error());
    return std::string(stat->state == 'T' ? kStopped : kRunning);
  }

  // A process in a system call stops when that ends; and whoever was continued by somebody else loses nothing by it.
  bool is_ours(const std::string&, const std::string&) const override { return true; }

  std::optional<std::string> wish(double multiplier, const std::string& found) override {
    if (multiplier > 0 || found != kRunning) return std::nullopt;  // one that somebody else stopped is not ours
    return std::string(kStopped);
  }

  Result<void> set(const std::string& value) override {
    return signals_.send(process_, value == kStopped ? SIGSTOP : SIGCONT);
  }
  Result<void> give_back(const std::string& found) override { return set(found); }
  std::string spell(const std::string& value) const override { return value; }

 private:
  const ActuatorName name_;
  const ProcessName process_;
  const Files& files_;
  Signals& signals_;
};

bool may_be_stopped(const ProcessStat& stat) {
  return stat.pid > 1 && stat.pid != ::getpid() && !stat.kernel_thread() && !must_run(stat.name);
}

}  // namespace

Result<void> RealSignals::send(const ProcessName& process, int signal) {
  const long descriptor = ::syscall(SYS_pidfd_open, static_cast<pid_t>(process.pid), 0);
  if (descriptor < 0) return failure(errno, process.pid, "open");
  const int file = static_cast<int>(descriptor);
  // From here on the descriptor is of one process, whatever becomes of the pid; now it is seen which one.
  const auto stat = stat_of(*files_, process);
  int error = 0;
  if (stat && ::syscall(SYS_pidfd_send_signal, file, signal, nullptr, 0) != 0) error = errno;
  ::close(file);
  if (!stat) return tl::make_unexpected(stat.error());
  if (error != 0) return failure(error, process.pid, "signal");
  return {};
}

std::optional<std::string> cgroup1_path(std::string_view cgroup) {
  std::optional<std::string> first;
  for (const std::string_view line : split(cgroup, '\n')) {
    const auto controllers = line.find(':');
    const auto path = controllers == std::string_view::npos ? controllers : line.find(':', controllers + 1);
    if (path == std::string_view::npos || path + 2 >= line.size() || line.starts_with("0::")) continue;
    const std::string_view found = line.substr(path + 1);
    if (line.substr(controllers + 1, path - controllers - 1) == "name=systemd") return std::string(found);
    if (!first) first = std::string(found);
  }
  return first;
}

std::vector<std::unique_ptr<Actuator>> stoppers(const DeviceSnapshot& device, const ActuatorSettings& settings,
                                                const Files& files, Signals& signals) {
  std::vector<std::unique_ptr<Actuator>> result;
  if (cgroup2_mount(files.read("/proc/self/mountinfo").value_or(""))) return result;
  if (!pids_are_our_own(files) || !pids_are_the_hosts(files)) return result;
  for (const GpuProcess& process : *device.processes) {
    const auto text = files.read(fmt::format("/proc/{}/cgroup", process.pid));
    const auto group = text ? cgroup1_path(*text) : std::nullopt;
    const bool allowed = group && std::ranges::any_of(settings.freeze_cgroups, [&](const std::string& pattern) {
                           return fits(pattern, *group);
                         });
    if (!allowed) continue;
    const auto stat = stat_of(files, process.pid);
    if (!stat || !may_be_stopped(*stat)) continue;
    result.push_back(
        std::make_unique<StopActuator>(device.device->id, ProcessName{stat->pid, stat->start_ticks}, files, signals));
  }
  return result;
}

std::unique_ptr<Actuator> find_stopper(const ActuatorName& name, const Files& files, Signals& signals) {
  const auto process = parse_place(name.place);
  if (!process) return nullptr;
  const auto stat = stat_of(files, *process);
  if (!stat && stat.error().code == Errc::not_found) return nullptr;  // it has ended; what cannot be read today has not
  return std::make_unique<StopActuator>(name.device, *process, files, signals);
}

}  // namespace gpukeeper
