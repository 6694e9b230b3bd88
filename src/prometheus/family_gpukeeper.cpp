#include "prometheus/family_gpukeeper.hpp"

#include "prometheus/own_parts.hpp"

namespace gpukeeper::prometheus {

void write_gpukeeper(Exposition& out, const MetricFacts& facts) {
  const std::vector<LabelledDevice> devices = labelled(*facts.snapshot);
  write_devices(out, devices);
  write_states(out, devices);
  write_alerts(out, *facts.snapshot);
  write_faults(out, *facts.faults, devices);
  write_booked(out, *facts.snapshot, devices);
  write_processes(out, *facts.snapshot, devices);
  write_self(out, facts);
}

}  // namespace gpukeeper::prometheus
