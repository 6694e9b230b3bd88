#include "backend/simulated/simulated_backend.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "backend/simulated/scenario_events.hpp"
#include "core/files.hpp"
#include "device/metric_fields.hpp"

namespace gpukeeper::simulated {
namespace {

std::string mismatch_sentence(Vendor vendor) {
  if (vendor == Vendor::nvidia) {
    return "the NVIDIA library and the loaded kernel driver are of different versions; restart the machine, or unload "
           "and load the nvidia kernel modules";
  }
  return "the driver's library and the loaded kernel module are of different versions; restart the machine";
}

// `errors` more each time that the fault happened. A device with such a fault counts from the start.
void add_errors(Metric<Count>& counter, std::uint64_t errors, std::uint64_t times) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 53;  // up to here a double counts too
  const std::uint64_t before = counter.value_or(Count(0)).value();
  const std::uint64_t more = times == 0 || errors <= kMost / times ? errors * times : kMost;
  counter = Count(std::max(before, std::min(kMost, before + more)));
}

// Adds a call, and its time when it ends.
class Tally {
 public:
  Tally(std::atomic<std::uint64_t>& calls, std::atomic<std::int64_t>& nanoseconds, const Clock& clock)
      : nanoseconds_(&nanoseconds), clock_(clock), begin_(clock.now()) {
    ++calls;
  }
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;
  ~Tally() {
    if (nanoseconds_) *nanoseconds_ += std::chrono::nanoseconds(clock_.now() - begin_).count();
  }
  void drop() { nanoseconds_ = nullptr; }

 private:
  std::atomic<std::int64_t>* nanoseconds_;
  const Clock& clock_;
  const MonotonicTime begin_;
};

}  // namespace

SimulatedBackend::SimulatedBackend(Scenario scenario, const Clock& clock)
    : scenario_(std::move(scenario)), clock_(clock), start_(clock.now()), begin_(clock.wall()) {
  const auto add = [this](const DeviceSpec& physical, const DeviceSpec& spec, std::optional<std::size_t> partition) {
    Entry entry{&physical, &spec, std::make_unique<DeviceModel>(physical, partition, scenario_.seed)};
    order_.push_back(&entries_.emplace(spec.device.id, std::move(entry)).first->second);
  };
  for (const DeviceSpec& device : scenario_.devices) {
    add(device, device, std::nullopt);
    for (std::size_t i = 0; i < device.partitions.size(); ++i) add(device, device.partitions[i], i);
  }
}

SimulatedBackend::~SimulatedBackend() {
  closing_.request_stop();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return hanging_ == 0; });
}

double SimulatedBackend::seconds() const {
  return std::chrono::duration<double>(clock_.now() - start_).count();
}

const Fault* SimulatedBackend::find_fault(FaultKind kind, const DeviceSpec& physical, double seconds) const {
  for (const auto* faults : {&scenario_.faults, &physical.faults}) {
    for (const Fault& fault : *faults) {
      if (fault.kind == kind && fault.window.holds(seconds)) return &fault;
    }
  }
  return nullptr;
}

bool SimulatedBackend::is_present(const DeviceSpec& physical, double seconds) const {
  if (find_fault(FaultKind::disappear, physical, seconds)) return false;
  const auto waits = [&](const Fault& fault) {
    return fault.kind == FaultKind::appear && !fault.window.holds(seconds);
  };
  return std::ranges::none_of(scenario_.faults, waits) && std::ranges::none_of(physical.faults, waits);
}

Result<std::vector<Device>> SimulatedBackend::list() {
  const Tally tally(calls_, nanoseconds_, clock_);
  const double now = seconds();
  std::vector<Device> result;
  for (const Entry* entry : order_) {
    if (find_fault(FaultKind::driver_reload, *entry->physical, now)) continue;
    if (is_present(*entry->physical, now)) result.push_back(entry->spec->device);
  }
  return result;
}

std::optional<Error> SimulatedBackend::refusal_of(std::string_view operation, const DeviceSpec& physical,
                                                  const DeviceId& id, double now) const {
  const auto answer = [&](Errc code, std::string_view sentence) {
    return Error{code, fmt::format("{} {}: {}", operation, id.text, sentence)};
  };
  if (!is_present(physical, now)) return answer(Errc::not_found, "the device is not in the machine");
  if (find_fault(FaultKind::driver_reload, physical, now)) {
    return answer(Errc::unavailable, "the driver is being reloaded; the device comes back with it");
  }
  if (find_fault(FaultKind::lost, physical, now)) {
    return answer(Errc::not_found, "the device has fallen off the bus; restart the machine to bring it back");
  }
  if (find_fault(FaultKind::driver_mismatch, physical, now)) {
    return answer(Errc::unavailable, mismatch_sentence(physical.device.vendor));
  }
  if (const Fault* fault = find_fault(FaultKind::error, physical, now)) {
    return answer(fault->code, fault->message.empty() ? "the driver answered with an error" : fault->message);
  }
  return std::nullopt;
}

bool SimulatedBackend::wait_while_hanging(const DeviceSpec& physical) {
  const auto hangs = [&] { return find_fault(FaultKind::hang, physical, seconds()) != nullptr; };
  if (!hangs()) return true;
  {
    const std::scoped_lock lock(mutex_);
    ++hanging_;
  }
  const bool over = clock_.wait_while(hangs, closing_.get_token());
  const std::scoped_lock lock(mutex_);
  --hanging_;
  changed_.notify_all();
  return over;
}

void SimulatedBackend::apply_metric_faults(const DeviceSpec& physical, Reading& reading, double now) const {
  double last_xid = -1;
  for (const auto* faults : {&scenario_.faults, &physical.faults}) {
    for (const Fault& fault : *faults) {
      if (fault.kind == FaultKind::ecc) {
        const std::uint64_t times = fault.window.starts(now);
        for (auto* counter : {&reading.ecc_corrected_volatile, &reading.ecc_corrected_aggregate}) {
          add_errors(*counter, fault.corrected, times);
        }
        for (auto* counter : {&reading.ecc_uncorrected_volatile, &reading.ecc_uncorrected_aggregate}) {
          add_errors(*counter, fault.uncorrected, times);
        }
      }
      if (!fault.window.holds(now)) continue;
      const bool absent =
          fault.kind == FaultKind::missing ||
          (fault.kind == FaultKind::flapping && std::fmod(now - fault.window.start, fault.period) < fault.period / 2);
      if (absent) {
        for (const std::string& name : fault.metrics) find_metric_field(name)->set(reading, missing(fault.reason));
      }
      if (fault.kind == FaultKind::xid && fault.window.start >= last_xid) {
        last_xid = fault.window.start;
        reading.xid_last = Count(fault.xid);
      }
    }
  }
}

Result<Reading> SimulatedBackend::read(const DeviceId& id) {
  Tally tally(calls_, nanoseconds_, clock_);
  const auto found = entries_.find(id);
  if (found == entries_.end())
    return fail(Errc::not_found, fmt::format("read {}: the scenario has no such device", id.text));
  const Entry& entry = found->second;
  if (!wait_while_hanging(*entry.physical)) {
    tally.drop();
    return fail(Errc::unavailable, fmt::format("read {}: the simulation ended while the driver hung", id.text));
  }
  const double now = seconds();
  if (auto refused = refusal_of("read", *entry.physical, id, now)) return tl::make_unexpected(*std::move(refused));
  if (find_fault(FaultKind::asleep, *entry.physical, now)) {
    Reading reading{Missing::asleep};
    reading.attention = Attention::asleep;
    reading.runtime_power_state = "suspended";
    return reading;
  }
  Reading reading = entry.model->read(now);
  if (!entry.spec->device.parent) apply_metric_faults(*entry.physical, reading, now);
  return reading;
}

Result<std::vector<GpuProcess>> SimulatedBackend::processes(const DeviceId& id) {
  const Tally tally(calls_, nanoseconds_, clock_);
  constexpr std::string_view kOperation = "read processes of";
  const auto found = entries_.find(id);
  if (found == entries_.end()) {
    return fail(Errc::not_found, fmt::format("{} {}: the scenario has no such device", kOperation, id.text));
  }
  const Entry& entry = found->second;
  const double now = seconds();
  if (auto refused = refusal_of(kOperation, *entry.physical, id, now)) return tl::make_unexpected(*std::move(refused));
  if (find_fault(FaultKind::asleep, *entry.physical, now)) return std::vector<GpuProcess>{};
  return entry.model->processes(now, begin_);
}

Result<std::vector<DeviceEvent>> SimulatedBackend::take_events() {
  const double now = seconds();
  auto events = events_between(scenario_, events_until_, now, begin_);
  events_until_ = now;
  return events;
}

DriverCost SimulatedBackend::cost() const {
  return {calls_.load(), std::chrono::nanoseconds(nanoseconds_.load())};
}

std::size_t SimulatedBackend::hanging() const {
  std::scoped_lock lock(mutex_);
  return hanging_;
}

Result<std::unique_ptr<Backend>> open_text(std::string_view text, std::string_view file, const Clock& clock) {
  auto scenario = parse_scenario(text, file);
  if (!scenario) return tl::make_unexpected(std::move(scenario).error());
  return std::unique_ptr<Backend>(std::make_unique<SimulatedBackend>(*std::move(scenario), clock));
}

Result<std::unique_ptr<Backend>> open(const std::string& path, const Clock& clock) {
  const auto text = RealFiles().read(path);
  if (!text) return fail(text.error().code, "open the scenario: " + text.error().message);
  return open_text(*text, path, clock);
}

}  // namespace gpukeeper::simulated
