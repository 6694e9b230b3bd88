#pragma once

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "auth/audit_log.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "service/background_worker.hpp"
#include "service/http.hpp"
#include "service/router.hpp"

namespace gpukeeper::service {

/// Who changed what: every request that changes something and is answered well, and those whose client had gone before
/// anybody knew. Heartbeats and plans decide nothing and are left out.
///
/// Threads: the server's; a thread of its own writes, as a disk may hang.
class Audit {
 public:
  /// `folder`: as for AuditLog. Clock and log outlive this.
  Audit(const std::string& folder, const Clock& clock, Log& log);
  /// Writes what waits.
  ~Audit();
  Audit(const Audit&) = delete;
  Audit& operator=(const Audit&) = delete;

  /// Who asks is known, and the answer is about to be made.
  void begin(const Request& request);
  /// The answer to what began last on that connection; null when its client had gone.
  void end(const Peer& peer, const Response* response);

  /// GET /api/v1/audit?limit=&cursor=: the newest first, in pages.
  Response answer(const Request& request) const;

 private:
  void flush();

  auth::AuditLog kept_;
  const Clock& clock_;
  Log& log_;
  std::map<const Peer*, auth::AuditEntry> begun_;
  std::mutex mutex_;
  std::deque<auth::AuditEntry> waiting_;  // guarded by mutex_
  std::unique_ptr<BackgroundWorker> writer_ = std::make_unique<BackgroundWorker>();
};

/// The row of it.
Route audit_route(const Audit& audit);

}  // namespace gpukeeper::service
