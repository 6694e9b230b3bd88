#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// GET /api/v1/snapshot: the latest snapshot as `status --json` prints it.
///
/// A snapshot is written as JSON once, by the first who asks for it, and shared by all others; one that nobody asks for
/// is never written.
/// Threads: one, the server's.
class SnapshotAnswer {
 public:
  /// `instance` is in every ETag: sequence numbers begin anew with each start.
  explicit SnapshotAnswer(std::string instance) : instance_(std::move(instance)) {}

  /// 200 with an ETag; 304 when the client has this one; 503 before the first; 400 for a query that is not
  /// ?device=SELECTOR, and 404 for a device that there is not.
  Response answer(const Request& request, const std::shared_ptr<const Snapshot>& snapshot);

 private:
  struct Cached {
    std::shared_ptr<const Snapshot> snapshot;
    std::shared_ptr<const std::string> text;
  };

  const std::string instance_;
  std::array<Cached, 2> cached_;  // without and with command lines
};

}  // namespace gpukeeper::service
