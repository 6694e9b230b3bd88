#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "service/http.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// Whether the one who asks may read other users' command lines: root, and the user that gpukeeper runs as, vouched for
/// by the unix socket. Over TCP anyone of this machine may ask, so nobody may until there are tokens.
bool may_read_command_lines(const Peer& peer, uid_t own_uid);

/// GET /api/v1/snapshot: the latest snapshot as `status --json` prints it.
///
/// A snapshot is written as JSON once, by the first who asks for it, and shared by all others; one that nobody asks for
/// is never written.
/// Threads: one, the server's.
class SnapshotAnswer {
 public:
  /// `instance` is in every ETag: sequence numbers begin anew with each start.
  SnapshotAnswer(std::string instance, uid_t own_uid) : instance_(std::move(instance)), own_uid_(own_uid) {}

  /// 200 with an ETag; 304 when the client has this one; 503 before the first; 400 for a query that is not
  /// ?device=SELECTOR, and 404 for a device that there is not.
  Response answer(const Request& request, const std::shared_ptr<const Snapshot>& snapshot);

 private:
  struct Cached {
    std::shared_ptr<const Snapshot> snapshot;
    std::shared_ptr<const std::string> text;
  };

  const std::string instance_;
  const uid_t own_uid_;
  std::array<Cached, 2> cached_;  // without and with command lines
};

}  // namespace gpukeeper::service
