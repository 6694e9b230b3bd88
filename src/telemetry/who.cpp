#include "telemetry/who.hpp"

namespace gpukeeper {

const ProcessFacts* facts_of(const Snapshot& snapshot, const DeviceSnapshot& device, const GpuProcess& process) {
  const auto& parent = device.device->parent;
  const DeviceId& id = parent ? *parent : device.device->id;
  if (const ProcessFacts* facts = snapshot.who->find(id, process.pid)) return facts;
  return process.facts.get();
}

bool same_machine(const Device& a, const Device& b) {
  if (a.simulated != b.simulated || a.recorded != b.recorded) return false;
  return (!a.simulated && !a.recorded) || a.source == b.source;
}

}  // namespace gpukeeper
