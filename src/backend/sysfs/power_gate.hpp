#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "core/clock.hpp"
#include "core/files.hpp"
#include "device/reading.hpp"

namespace gpukeeper {

/// Decides, device by device, whether its sensors may be read now, so that nothing here wakes a sleeping GPU or keeps
/// an idle one from falling asleep.
///
/// What the kernel tells under `power/` of a PCI function is its own bookkeeping: reading it wakes nothing. Everything
/// else about the device (hwmon, gpu_metrics, NVML, opening /dev/dri) may resume it, and restarts the countdown to its
/// suspension (`autosuspend_delay_ms`, often 5 s). So:
///   - suspended: asleep, do not touch;
///   - runtime power management off (`control` is "on", or there is no such file): it never sleeps, read at will;
///   - else, once the device was found idle, it is left alone for twice the delay. If it then sleeps, good. If it does
///     not, something else holds it awake (a display, a client): it is read again, and the next try comes later each
///     time, so that values are not withheld for nothing.
///
/// Threads: every member may be called from any thread.
class PowerGate {
 public:
  /// With `wake` everything is awake: for the user who asked for it.
  PowerGate(const Files& files, const Clock& clock, bool wake = false);

  /// What may be done with the device whose PCI folder this is ("/sys/bus/pci/devices/0000:01:00.0"). Reads only files
  /// under its `power/`.
  Attention look(const std::string& folder);

  /// Tells what a reading found: whether the device has work, or holders that expect it awake.
  void note(const std::string& folder, bool in_use);

  /// What is read of a device that look() found resting or asleep: nothing but its runtime power state.
  Reading withheld(const std::string& folder, Attention attention) const;

  /// The runtime power state in the kernel's word ("active", "suspended"), "D3cold" where `power_state` says so; absent
  /// when the kernel keeps none. Never wakes.
  Metric<std::string> runtime_state(const std::string& folder) const;

 private:
  struct Device {
    bool resting = false;
    MonotonicTime rest_until{};
    MonotonicTime next_rest{};          // no rest before this
    std::chrono::seconds patience{30};  // time of reading between two rests; doubles while rests bring no sleep
  };

  std::chrono::milliseconds rest_length(const std::string& folder) const;

  const Files& files_;
  const Clock& clock_;
  const bool wake_;
  std::mutex mutex_;
  std::map<std::string, Device> devices_;  // guarded by mutex_
};

}  // namespace gpukeeper
