#pragma once

#include "core/clock.hpp"
#include "core/files.hpp"

namespace gpukeeper {

class DrmProcesses;

/// What a backend over the kernel's files works on. Everything referred to must outlive the backend.
struct SysfsSource {
  const Files& machine;  ///< the machine that is looked at: its /sys and /proc
  const Files& system;   ///< the machine that looks: its tables under /usr/share
  const Clock& clock;
  DrmProcesses& processes;  ///< of the machine that is looked at; one for all backends
  bool wake = false;        ///< read sleeping devices too, which wakes them
  bool recorded = false;    ///< the files stand still: another machine left them

  /// Whether a device's files are read whatever its power state: on request, and in a recording. A dump's files were
  /// read one after another, and copying the first of them woke the device; nothing in a dump can be woken.
  bool reads_sleeping() const { return wake || recorded; }
};

}  // namespace gpukeeper
