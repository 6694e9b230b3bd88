#pragma once

#include <optional>
#include <string>
#include <vector>

#include "format/process_list.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::diagnosis {

/// How hard a device works, as far as its figures tell.
enum class Work {
  unknown,  ///< neither its use nor its power is reported, or its power says nothing
  idle,     ///< used for less than 5 % of the time
  light,    ///< up to 25 %
  busy,
};

/// A device that is asked about, and what all answers need to know of it. Points into its snapshot.
struct Subject {
  const Snapshot& snapshot;
  const DeviceSnapshot& device;
  const Reading& reading;
  std::vector<ProcessRow> workers;  ///< its processes, the one that most likely works most first
  std::optional<double> load;       ///< percent: its utilization, else that of its busiest engine
  Work work = Work::unknown;

  /// `all`: process_rows(whole).
  Subject(const Snapshot& whole, const std::vector<ProcessRow>& all, const DeviceSnapshot& asked);

  bool sees_processes() const { return device.processes_reason.empty(); }
  /// Whether it is a device of the machine that this runs on, where doctor and sudo help.
  bool is_ours() const { return !device.device->simulated && !device.device->recorded; }
};

/// "73 % busy", or "at work (329 W of 450 W)" where only power speaks.
std::string load_text(const Subject& subject);

/// The process in a sentence: "python3 (PID 20417, ML training, user mara, job 48213, running for 2 h)".
std::string who_text(const ProcessRow& row, WallTime now);

/// Its name alone, short and harmless.
std::string name_text(const ProcessRow& row);

/// Whether nearly all of the device's work is that of its first worker.
bool is_the_worker(const Subject& subject);

/// Those that take part in the work: with some utilization, or of which none is known.
std::vector<const ProcessRow*> working(const Subject& subject);

}  // namespace gpukeeper::diagnosis
