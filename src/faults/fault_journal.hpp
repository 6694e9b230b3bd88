#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/published.hpp"
#include "faults/fault_book.hpp"
#include "faults/fault_scene.hpp"
#include "faults/fault_writer.hpp"
#include "faults/snapshot_watch.hpp"

namespace gpukeeper {

/// The journal's name among the sources of events, where it has something to say of itself.
inline constexpr std::string_view kFaultJournal = "fault journal";

/// The journal as a reader gets it.
struct FaultList {
  std::vector<std::shared_ptr<const FaultRecord>> records;  ///< the newest, by id
  std::vector<FaultTotal> totals;                           ///< since the journal was begun
};

/// What went wrong with the devices: one log out of all that the sources report and the readings show. Each occurrence
/// is counted once, whoever reports it, and over restarts where there is a store.
///
/// Threads: note() and tell() belong to one thread, the sampler's, and do no input or output; list() may be called from
/// any.
class FaultJournal {
 public:
  /// Loads what the store holds; without one, the journal begins empty and ends with the process. A store that cannot
  /// be loaded is not written either: its records would be counted twice. Nor is one that is_read_only().
  explicit FaultJournal(std::shared_ptr<FaultStore> store = nullptr);

  /// Takes in what the snapshot tells: the snapshots in order.
  void note(const Snapshot& snapshot);

  /// Adds to the snapshot what the journal counts of each device. Where the journal is not well kept, "fault journal"
  /// stands among the snapshot's sources of events and says why.
  void tell(Snapshot& snapshot) const;

  /// Never null.
  std::shared_ptr<const FaultList> list() const { return published_.read(); }

 private:
  void watch_clock(const Snapshot& snapshot);
  void add(const DeviceEvent& event);
  void say_how_it_is_kept(Snapshot& snapshot) const;
  void store_changes(const Snapshot& snapshot);
  bool is_kept(const DeviceId& device, const Snapshot& snapshot) const;
  void publish();

  const std::shared_ptr<FaultStore> store_;  // null: memory only
  std::string load_error_;
  FaultBook book_;
  SnapshotWatch watch_;
  SceneFinder scenes_;
  std::optional<WallTime::duration> clock_offset_;
  Published<FaultList> published_;
  std::unique_ptr<FaultWriter> writer_;  // null: memory only
};

}  // namespace gpukeeper
