#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "backend/simulated/model.hpp"
#include "backend/simulated/scenario.hpp"
#include "core/clock.hpp"
#include "device/backend.hpp"
#include "device/event.hpp"

namespace gpukeeper::simulated {

/// Plays a scenario. Its time is that of the clock since construction.
///
/// A read of a hanging device returns when the fault is over by the clock, or with `unavailable` when the backend is
/// destroyed; processes and other devices do not notice.
/// Threads: as Backend; the destructor waits for reads that hang, and for no other call.
class SimulatedBackend final : public Backend, public EventSource {
 public:
  /// `clock` must outlive it.
  SimulatedBackend(Scenario scenario, const Clock& clock);
  SimulatedBackend(const SimulatedBackend&) = delete;
  SimulatedBackend& operator=(const SimulatedBackend&) = delete;
  ~SimulatedBackend() override;

  std::string_view name() const override { return "simulated"; }  // of Backend and of EventSource
  Result<std::vector<Device>> list() override;
  Result<Reading> read(const DeviceId& id) override;
  Result<std::vector<GpuProcess>> processes(const DeviceId& id) override;

  /// Calls are calls of this interface; their time is that of the clock, so that a hang shows.
  DriverCost cost() const override;

  /// What the scenario's drivers reported since the last call; the first call answers from the scenario's start.
  Result<std::vector<DeviceEvent>> take_events() override;

  const Scenario& scenario() const { return scenario_; }

  /// How many reads hang now.
  std::size_t hanging() const;

 private:
  struct Entry {
    const DeviceSpec* physical = nullptr;
    const DeviceSpec* spec = nullptr;
    std::unique_ptr<DeviceModel> model;
  };

  double seconds() const;
  /// The first fault of that kind that holds now: the machine's, then the device's.
  const Fault* find_fault(FaultKind kind, const DeviceSpec& physical, double seconds) const;
  bool is_present(const DeviceSpec& physical, double seconds) const;
  /// Why nothing can be learnt about the device now; nothing when it answers.
  std::optional<Error> refusal_of(std::string_view operation, const DeviceSpec& physical, const DeviceId& id,
                                  double seconds) const;
  void apply_metric_faults(const DeviceSpec& physical, Reading& reading, double seconds) const;
  /// False when the backend is being destroyed; nothing of it may be used then.
  bool wait_while_hanging(const DeviceSpec& physical);

  const Scenario scenario_;
  const Clock& clock_;
  const MonotonicTime start_;
  const WallTime begin_;             // the same instant
  std::vector<const Entry*> order_;  // as listed
  std::unordered_map<DeviceId, Entry> entries_;

  double events_until_ = -1;  // take_events() alone

  std::atomic<std::uint64_t> calls_ = 0;
  std::atomic<std::int64_t> nanoseconds_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::stop_source closing_;
  std::size_t hanging_ = 0;  // guarded by mutex_
};

/// The scenario in a file. Errors: those of reading the file, and invalid_argument for a mistake in it.
Result<std::unique_ptr<Backend>> open(const std::string& path, const Clock& clock);

/// As open, of a text; `file` is what messages call it.
Result<std::unique_ptr<Backend>> open_text(std::string_view text, std::string_view file, const Clock& clock);

}  // namespace gpukeeper::simulated
