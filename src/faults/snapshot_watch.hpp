#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "faults/fault_record.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper {

/// Finds faults by comparing each snapshot with what was seen before: counters of errors that grew, flags that were
/// raised, devices that went and came, a driver that was loaded anew.
///
/// What was never seen before only becomes what later snapshots are compared with; but a lost device, errors that could
/// not be corrected, and memory that waits for its repair or cannot be repaired are reported the first time they are
/// seen, under a key. A counter that goes back (a reset, a reloaded driver) is no error. A device that was never there
/// in this run is lost only after kStart: a machine that starts loads its drivers meanwhile.
///
/// Threads: one at a time.
class SnapshotWatch {
 public:
  static constexpr std::chrono::seconds kStart{60};

  /// Goes on from the marks of an earlier watch: what changed since is reported as it is first seen.
  explicit SnapshotWatch(const std::vector<WatchMark>& marks = {});

  /// The snapshots in order. The events carry the snapshot's time and the source "readings".
  std::vector<DeviceEvent> look(const Snapshot& snapshot);

  /// The marks that have changed since the last call.
  std::vector<WatchMark> take_changed_marks();
  /// All marks.
  std::vector<WatchMark> marks() const;

 private:
  /// What is watched of a device, in the order of their names in the source file.
  enum Mark : std::size_t {
    corrected_volatile,
    corrected_aggregate,
    uncorrected_volatile,
    uncorrected_aggregate,
    rows_corrected,
    rows_uncorrected,
    rows_pending,
    rows_failed,
    pages_corrected,
    pages_uncorrected,
    pages_pending,
    xid_last,
    lost,
    kMarks
  };
  struct Seen {
    std::array<std::optional<std::uint64_t>, kMarks> marks;  // nothing: never seen
    std::optional<std::string> driver_version;
    bool listed = false;  // in this run, as those below
    bool added = false;   // it came later than the others, and was not read yet
    bool there = false;
    std::optional<MonotonicTime> went;  // when it was lost
  };
  struct Change {  // of a mark
    std::optional<std::uint64_t> before;
    std::optional<std::uint64_t> now;
    bool first() const { return now && !before; }
    bool raised() const { return now.value_or(0) > before.value_or(0); }
    std::uint64_t grown() const { return now && before && *now > *before ? *now - *before : 0; }
    bool went_back() const { return now && before && *now < *before; }
  };

  void look_at_presence(const DeviceSnapshot& d, Seen& seen, const Snapshot& snapshot);
  void look_at_driver(const DeviceSnapshot& d, Seen& seen);
  void look_at_errors(const DeviceSnapshot& d, Seen& seen);
  void look_at_repairs(const DeviceSnapshot& d, Seen& seen);
  void look_at_xid(const DeviceSnapshot& d, Seen& seen, const Snapshot& snapshot);
  void look_for_reloads(const Snapshot& snapshot);

  Change step(const DeviceSnapshot& d, Seen& seen, Mark mark, std::optional<std::uint64_t> now);
  DeviceEvent& note(EventKind kind, std::string detail, std::uint64_t count = 1);
  DeviceEvent& note(const DeviceSnapshot& d, EventKind kind, std::string detail, std::uint64_t count = 1);
  DeviceEvent& note_standing(const DeviceSnapshot& d, EventKind kind, Mark mark, std::uint64_t value,
                             std::string detail);

  std::map<DeviceId, Seen> seen_;
  std::set<std::pair<DeviceId, Mark>> changed_;
  std::set<std::string> answered_;                        // the sources that had listed their devices a snapshot ago
  std::map<std::string, std::set<DeviceId>> gone_;        // by source: all its devices, which went at once
  std::map<std::string, std::set<std::string>> updates_;  // in this look: what became of a driver's version; devices
  std::vector<DeviceEvent> found_;                        // in this look
  std::set<PciAddress> places_;                           // where devices were listed in this run
  std::optional<MonotonicTime> began_;
  WallTime at_{};
};

}  // namespace gpukeeper
