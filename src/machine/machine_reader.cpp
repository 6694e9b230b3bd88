#include "machine/machine_reader.hpp"

#include <utility>

namespace gpukeeper {

MachineReader::MachineReader(std::shared_ptr<const Files> files, std::shared_ptr<const KernelCalls> calls,
                             std::shared_ptr<Clock> clock, std::shared_ptr<const Classifier> classifier)
    : files_(std::move(files)),
      calls_(std::move(calls)),
      clock_(std::move(clock)),
      classifier_(std::move(classifier)),
      reader_(*files_) {}

std::shared_ptr<const MachineFacts> MachineReader::facts() {
  const MonotonicTime now = clock_->now();
  if (facts_ && now - before_->at < kFresh) return facts_;
  if (!before_ || now - before_->at > kTooOld) {
    before_ = look();
    clock_->sleep_until(before_->at + kSecondLook, {});
  }
  Look latest = look();
  facts_ = between(*before_, latest);
  before_ = std::move(latest);
  return facts_;
}

MachineReader::Look MachineReader::look() const {
  Look result;
  result.at = clock_->now();
  if (const auto stat = files_->read("/proc/stat")) result.processors = parse_processor_times(*stat);
  if (const auto stats = files_->read("/proc/diskstats")) result.disks = parse_disk_counters(*stats);
  if (const auto counters = files_->read("/proc/net/dev")) result.network = parse_network(*counters);
  result.processes = look_at_processes(*files_);
  return result;
}

std::shared_ptr<const MachineFacts> MachineReader::between(const Look& before, const Look& now) {
  const auto time = now.at - before.at;
  auto facts = std::make_shared<MachineFacts>();
  facts->taken_at = clock_->wall();
  facts->processors = processor_facts(*files_, before.processors, now.processors);
  if (const auto meminfo = files_->read("/proc/meminfo")) facts->memory = parse_meminfo(*meminfo);
  facts->disks = disk_facts(*files_, *calls_, before.disks, now.disks, time);
  facts->network = network_facts(*files_, *calls_, before.network, now.network, time);
  facts->processes = processes_facts(reader_, *classifier_, before.processes, now.processes, time,
                                     facts->memory ? facts->memory->total : Bytes(0), now.at);
  return facts;
}

}  // namespace gpukeeper
