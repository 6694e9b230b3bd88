#include "attribution/attributor.hpp"

#include <algorithm>
#include <utility>

#include "core/published.hpp"
#include "proc/pid_namespace.hpp"

namespace gpukeeper {
namespace {

std::vector<DeviceProcesses> processes_of(const Snapshot& snapshot) {
  std::vector<DeviceProcesses> result;
  for (const DeviceSnapshot& device : snapshot.devices) {
    if (device.processes->empty()) continue;
    const bool living = !device.device->simulated && !device.device->recorded;
    result.push_back({device.device->id, living, device.processes});
  }
  return result;
}

std::vector<ProcessTable::Key> keys_of(const std::vector<DeviceProcesses>& devices) {
  std::vector<ProcessTable::Key> keys;
  for (const DeviceProcesses& device : devices) {
    for (const GpuProcess& process : *device.processes) keys.emplace_back(device.device, process.pid);
  }
  std::ranges::sort(keys);
  return keys;
}

Background::MakeThread or_real(Background::MakeThread make_thread) {
  if (make_thread) return make_thread;
  return [](std::function<void()> body) { return std::thread(std::move(body)); };
}

}  // namespace

// All that a look touches. One that hangs keeps it alive.
struct Attributor::Core {
  Core(std::shared_ptr<const Files> files, std::shared_ptr<const Classifier> rules)
      : machine(std::move(files)),
        classifier(std::move(rules)),
        watch(machine.get(), machine && pids_are_our_own(*machine) ? &clocks : nullptr, *classifier) {}

  void look(const std::vector<DeviceProcesses>& devices, MonotonicTime now) {
    found.publish(std::make_shared<const Attribution>(watch.look(devices, now)));
  }

  const std::shared_ptr<const Files> machine;
  const std::shared_ptr<const Classifier> classifier;
  const KernelCpuClocks clocks;
  ProcessWatch watch;
  Published<Attribution> found;
};

Attributor::Attributor(std::shared_ptr<const Files> machine, std::shared_ptr<Clock> clock,
                       std::shared_ptr<const Classifier> classifier, AttributorOptions options)
    : clock_(std::move(clock)),
      options_(std::move(options)),
      core_(std::make_shared<Core>(machine, std::move(classifier))),
      alone_(machine == nullptr),
      background_(or_real(options_.make_thread)) {}

void Attributor::complete(Snapshot& snapshot) {
  auto devices = processes_of(snapshot);
  const auto until = clock_->now() + options_.patience;
  if (due(devices)) {
    look(devices);
    if (!alone_ && options_.patience > options_.patience.zero()) wait_for_shares(devices, until);
  }
  const auto found = core_->found.read();
  snapshot.who = found->table;
  snapshot.who_reason = found->reason;
}

bool Attributor::due(const std::vector<DeviceProcesses>& devices) {
  if (alone_ || !started_ || clock_->now() - looked_ >= options_.period) return true;
  return keys_of(devices) != looked_at_;
}

void Attributor::look(std::vector<DeviceProcesses> devices) {
  auto keys = keys_of(devices);
  const auto now = clock_->now();
  if (alone_) {
    core_->look(devices, now);
  } else if (!background_.start([core = core_, list = std::move(devices), now] { core->look(list, now); })) {
    return;  // the one before hangs; it is tried again at the next tick
  }
  looked_at_ = std::move(keys);
  looked_ = now;
  started_ = true;
}

// Waits for the look that was started; and where that met processes for the first time, for one more.
void Attributor::wait_for_shares(const std::vector<DeviceProcesses>& devices, MonotonicTime until) {
  if (!background_.wait(until - clock_->now())) return;
  const auto table = core_->found.read()->table;
  const bool lacking = std::ranges::any_of(looked_at_, [&](const ProcessTable::Key& key) {
    const auto* facts = table->find(key.first, key.second);
    return facts && !facts->cpu && facts->cpu.error() == Missing::not_yet_read;
  });
  if (!lacking || options_.second_look >= until - looked_) return;
  clock_->sleep_until(looked_ + options_.second_look, {});
  look(devices);
  background_.wait(until - clock_->now());
}

}  // namespace gpukeeper
