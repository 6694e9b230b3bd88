#pragma once

#include <functional>
#include <vector>

#include "ledger/lease.hpp"

namespace gpukeeper {

/// Tells when a process that owns leases is gone.
/// Threads: every member may be called from any; the callback comes on any but that which is in watch().
class OwnerWatch {
 public:
  using Gone = std::function<void(const ProcessOwner&)>;

  virtual ~OwnerWatch() = default;

  /// Whom to tell; before the first watch().
  virtual void on_gone(Gone gone) = 0;

  /// False when that process is gone already, or another one has its pid; then nobody is told. True for one that is
  /// watched from now on, or was already: a process costs one watch, however many leases it has.
  virtual bool watch(const ProcessOwner& owner) = 0;

  /// Nobody asks about any others any more. `owners` are in order.
  virtual void keep_only(const std::vector<ProcessOwner>& owners) = 0;
};

}  // namespace gpukeeper
