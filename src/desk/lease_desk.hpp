#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/units.hpp"

namespace gpukeeper::desk {

/// A question to the ledger, as docs/api.md has it.
struct DeskQuestion {
  std::string_view method;
  std::string target;
  std::string body = {};                 ///< a JSON object; empty for none
  std::chrono::nanoseconds wait{0};      ///< of POST /api/v1/leases: as long as it may stand in the queue
  std::chrono::nanoseconds patience{0};  ///< with a daemon: what its answer may take beyond the usual
};

/// The answer: a document, or a problem document.
struct DeskReply {
  unsigned status = 0;
  std::string body;

  bool good() const { return status >= 200 && status < 300; }
};

/// What a refusal with that status is as an error.
Errc code_of(unsigned status);

/// Where it is asked about leases: a running daemon, or this process, which opens the same ledger for each question and
/// answers it by the same functions. Beside the routes of leases there is GET /api/v1/snapshot.
/// Threads: one, where an implementation does not say more.
class LeaseDesk {
 public:
  virtual ~LeaseDesk() = default;

  /// Errors: what kept it from being asked at all; of a daemon those of client::Daemon, here those of the sources and
  /// of the state directory.
  virtual Result<DeskReply> ask(const DeskQuestion& question) = 0;

  /// What this process' descendants hold on a device under the lease with that id, as the driver showed it when the
  /// latest snapshot was asked for. Nothing where nobody can say: of a simulated device, or of one whose processes are
  /// not listed.
  virtual std::optional<Bytes> observed(const std::string& id, const std::string& device) = 0;

  /// Whether a daemon answers.
  virtual bool of_daemon() const = 0;
};

}  // namespace gpukeeper::desk
