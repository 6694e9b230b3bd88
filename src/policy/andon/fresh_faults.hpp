#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "faults/fault_journal.hpp"

namespace gpukeeper {

/// The faults of the last hour that a person should hear of, by device: what the journal holds, without what is only
/// for the record. An alert for a fault lasts for as long as it is fresh: longer than an application takes to run into
/// it again.
class FreshFaults {
 public:
  static constexpr std::chrono::hours kFresh{1};

  /// Once a look; costs nothing while the journal's list is the same and no fault has grown old.
  void look(const std::shared_ptr<const FaultList>& journal, WallTime now);

  using List = std::vector<std::shared_ptr<const FaultRecord>>;

  /// The newest first. An empty id: those of the machine as a whole.
  std::span<const std::shared_ptr<const FaultRecord>> of(const DeviceId& device) const;

 private:
  std::shared_ptr<const FaultList> journal_;
  std::map<DeviceId, List> faults_;
  WallTime oldest_{};  // of those
};

}  // namespace gpukeeper
