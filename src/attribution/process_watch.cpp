#include "attribution/process_watch.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "attribution/command_line.hpp"
#include "proc/pid_namespace.hpp"

namespace gpukeeper {
namespace {

template <class T>
void set_missing(Metric<T>& metric, Missing reason) {
  metric = missing(reason);
}

void set_all_missing(ProcessFacts& facts, Missing reason) {
  set_missing(facts.user, reason);
  set_missing(facts.uid, reason);
  set_missing(facts.command, reason);
  set_missing(facts.command_line, reason);
  set_missing(facts.executable, reason);
  set_missing(facts.started, reason);
  set_missing(facts.start_ticks, reason);
  set_missing(facts.cpu, reason);
  set_missing(facts.resident, reason);
  set_missing(facts.place, reason);
  set_missing(facts.root, reason);
  set_missing(facts.pid_in_namespace, reason);
}

std::string_view text_or_empty(const ProcessFacts::Text& text) {
  return text ? std::string_view(*text) : std::string_view();
}

// One process may stand in the lists of several devices, and several times more often it does: all of them together.
GpuProcess& merge(GpuProcess& into, const GpuProcess& other) {
  into.found_in_proc |= other.found_in_proc;
  into.type.compute |= other.type.compute;
  into.type.graphics |= other.type.graphics;
  into.type.mps |= other.type.mps;
  if (other.utilization && (!into.utilization || *into.utilization < *other.utilization)) {
    into.utilization = other.utilization;
  }
  return into;
}

}  // namespace

ProcessWatch::ProcessWatch(const Files* machine, const CpuClocks* clocks, const Classifier& classifier)
    : machine_(machine), clocks_(clocks), classifier_(classifier) {
  if (!machine_) return;
  reader_.emplace(*machine_);
  pids_are_the_hosts_ = pids_are_the_hosts(*machine_);
}

Attribution ProcessWatch::look(const std::vector<DeviceProcesses>& devices, MonotonicTime now) {
  if (reader_) reader_->begin_round();
  hides_.reset();
  strangers_ = concealed_ = closed_ = false;
  std::map<std::int64_t, GpuProcess> merged;
  for (const DeviceProcesses& device : devices) {
    if (!device.living || !machine_) continue;
    for (const GpuProcess& process : *device.processes) {
      const auto [place, is_new] = merged.try_emplace(process.pid, process);
      if (!is_new) merge(place->second, process);
    }
  }
  std::map<std::int64_t, Facts> found;
  for (const auto& [pid, process] : merged) found[pid] = look_up(process, now);

  auto table = std::make_shared<ProcessTable>();
  for (const DeviceProcesses& device : devices) {
    for (const GpuProcess& process : *device.processes) {
      const bool here = device.living && machine_ && !process.facts;
      auto facts = here ? found[process.pid] : told(device.device, process, now);
      if (facts) table->add(device.device, process.pid, std::move(facts));
    }
  }
  // What nobody asked for any more is gone, or off the GPUs.
  const auto sweep = [](auto& known) {
    std::erase_if(known, [](const auto& item) { return !item.second.asked; });
    for (auto& item : known) item.second.asked = false;
  };
  sweep(living_);
  sweep(told_);
  return {std::move(table), reason()};
}

ProcessWatch::Facts ProcessWatch::look_up(const GpuProcess& process, MonotonicTime now) {
  if (process.facts) return nullptr;  // its source tells
  if (!pids_are_the_hosts_ && !process.found_in_proc) {
    strangers_ = true;
    return absent(process, Missing::not_permitted);
  }
  // The clock first: a process that ends between the two is then gone, and not one that has used nothing.
  const auto used = clocks_ ? clocks_->used(process.pid) : std::nullopt;
  const auto stat = reader_->stat(process.pid);
  if (!stat) {
    if (stat.error().code != Errc::not_found) return absent(process, missing_in_proc(stat.error().code));
    if (!hidden()) return nullptr;
    concealed_ = true;
    return absent(process, Missing::not_permitted);
  }

  Living& known = living_[process.pid];
  known.asked = true;
  if (known.start_ticks != stat->start_ticks) {
    known = Living{};
    known.start_ticks = stat->start_ticks;
    known.asked = true;
  }
  known.busy_for = known.busy.add(process.utilization, now);
  if (!known.published || known.name != stat->name || known.image != stat->image ||
      now - known.identity_at >= kIdentityPeriod) {
    if (!read_identity(known, *stat, process, now)) {
      living_.erase(process.pid);
      return nullptr;
    }
  }
  known.facts.cpu = known.cpu.add({now, used.value_or(reader_->cpu_time(*stat)), used.has_value()});
  known.facts.resident = reader_->resident(*stat);
  closed_ |= !known.facts.executable && known.facts.executable.error() == Missing::not_permitted;
  if (!known.published || known.published->cpu != known.facts.cpu ||
      known.published->resident != known.facts.resident || known.identity_at == now) {
    known.published = std::make_shared<const ProcessFacts>(known.facts);
  }
  return known.published;
}

// False when the process is gone.
bool ProcessWatch::read_identity(Living& living, const ProcessStat& stat, const GpuProcess& process,
                                 MonotonicTime now) {
  auto identity = reader_->identity(stat, now);
  if (!identity) return false;
  living.facts = std::move(identity->facts);
  living.facts.classification = classifier_.classify({.command = text_or_empty(living.facts.command),
                                                      .executable = text_or_empty(living.facts.executable),
                                                      .arguments = arguments_of(identity->cmdline),
                                                      .type = process.type,
                                                      .busy_for = living.busy_for});
  living.name = stat.name;
  living.image = stat.image;
  living.identity_at = now;
  return true;
}

// Of a process that cannot be looked at there is at least the name that its source gives.
ProcessWatch::Facts ProcessWatch::absent(const GpuProcess& process, Missing reason) const {
  auto facts = std::make_shared<ProcessFacts>();
  facts->pid = process.pid;
  set_all_missing(*facts, reason);
  facts->classification =
      classifier_.classify({.command = {}, .executable = process.name, .arguments = {}, .type = process.type});
  return facts;
}

// A simulated or recorded process: what its source says of it, and what the rules make of that.
ProcessWatch::Facts ProcessWatch::told(const DeviceId& device, const GpuProcess& process, MonotonicTime now) {
  Told& known = told_[{device, process.pid}];
  known.asked = true;
  const auto busy_for = known.busy.add(process.utilization, now);
  if (known.judged && known.source == process.facts && known.type == process.type &&
      now - known.judged_at < kIdentityPeriod) {
    return known.judged;
  }
  const bool same_program = known.judged && known.source && process.facts && known.type == process.type &&
                            known.source->command_line == process.facts->command_line &&
                            known.source->executable == process.facts->executable;
  known.source = process.facts;
  known.type = process.type;
  if (!process.facts) {
    known.judged_at = now;
    return known.judged = absent(process, Missing::not_supported);
  }
  if (!process.facts->classification.rule.empty()) return known.judged = process.facts;  // it was judged where it ran
  auto facts = std::make_shared<ProcessFacts>(*process.facts);
  if (same_program) facts->command_line = known.judged->command_line;
  if (same_program && now - known.judged_at < kIdentityPeriod) {
    facts->classification = known.judged->classification;
    return known.judged = std::move(facts);
  }
  known.judged_at = now;
  const auto arguments = arguments_of_line(text_or_empty(process.facts->command_line));  // with secrets: to judge by
  if (facts->command_line) facts->command_line = shown_command_line(arguments);
  const auto executable = text_or_empty(facts->executable);
  facts->classification = classifier_.classify({.command = text_or_empty(facts->command),
                                                .executable = executable.empty() ? process.name : executable,
                                                .arguments = arguments,
                                                .type = process.type,
                                                .busy_for = busy_for});
  return known.judged = std::move(facts);
}

bool ProcessWatch::hidden() {
  if (!hides_) hides_ = reader_->hides();
  return *hides_;
}

std::string ProcessWatch::reason() const {
  if (strangers_) {
    return "the driver names processes by the host's pids, which mean others in this container: start it with the "
           "host's pid namespace (docker run --pid=host; hostPID: true in a pod), or mount the host's /proc and name "
           "its place with --root";
  }
  if (concealed_) {
    return "/proc hides other users' processes (its mount option hidepid): run as root, or join the group that the "
           "mount option gid= names";
  }
  if (closed_) {
    return "the executables of other users' processes may not be seen: run as root, or grant CAP_SYS_PTRACE (setcap "
           "cap_sys_ptrace+ep gpukeeper)";
  }
  return {};
}

}  // namespace gpukeeper
