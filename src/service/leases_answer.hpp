#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "attribution/users.hpp"
#include "booking/bookkeeper.hpp"
#include "core/files.hpp"
#include "format/lease_request_json.hpp"
#include "service/connection_leases.hpp"
#include "service/http.hpp"
#include "service/lease_waits.hpp"
#include "service/peer_process.hpp"
#include "service/router.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What answers about leases are made from.
struct LeaseDesk {
  Bookkeeper& book;
  std::function<std::shared_ptr<const Snapshot>()> snapshot;  ///< the latest; never null
  uid_t own_uid = 0;                                          ///< the user that gpukeeper runs as
  FindProcess process = find_process;
  /// Null where nobody may wait, and no connection stays: a command without a daemon.
  std::shared_ptr<LeaseWaits> waits = nullptr;
};

/// The ledger over HTTP: what is asked, who may ask it, and what is told. A daemon and a command without one answer by
/// the same functions; the command is its own client (this_process()).
///
/// Whoever may ask at all may look. Whoever the kernel vouches for (a unix socket) may book, in his own name; an
/// operator with a token may, in the name of the user that gpukeeper runs as; a token for one service, for that one. A
/// lease is ended and changed by its user, and by admins.
///
/// An answer may take as long as a disk does, but for what is_quick(). Threads: every member may be called from any.
class LeaseAnswers : public std::enable_shared_from_this<LeaseAnswers> {
 public:
  explicit LeaseAnswers(LeaseDesk desk) : desk_(std::move(desk)) {}

  /// Whether the answer is likely made sooner than another thread is woken: one lease is looked up, or one of a process
  /// is made or ended, which needs no flush of the disk, and the bookkeeper is_quick().
  bool is_quick(const Request& request) const;

  /// POST /api/v1/leases: 201, or 200 for one that was made before by the same request id. With wait_seconds the answer
  /// comes later; the client's end takes the request out of the queue. What was granted and could not be told to a
  /// client that had gone is given back, unless a request id lets it ask again.
  Response reserve(const Request& request);
  /// GET /api/v1/leases?device=&service=&state=&all=true&limit=&cursor=
  Response list(const Request& request);
  /// GET /api/v1/leases/{id}
  Response find(const Request& request);
  /// DELETE /api/v1/leases/{id}?generation=&wait_seconds=: the wait is for the driver to show the drop
  Response release(const Request& request);
  /// DELETE /api/v1/leases?service=&device=: of somebody who is no operator, his own.
  Response release_all(const Request& request);
  /// PATCH /api/v1/leases/{id}
  Response resize(const Request& request);
  /// POST /api/v1/leases/{id}/heartbeat, suspend, resume, revoke
  Response heartbeat(const Request& request);
  Response suspend(const Request& request);
  Response resume(const Request& request);
  Response revoke(const Request& request);
  /// GET /api/v1/quotas
  Response quotas(const Request& request);

 private:
  struct Filter;
  struct Subject;

  Result<Filter> filter_of(const Request& request) const;
  Result<Owner> owner_of(const LeaseWish& wish, const Peer& peer) const;
  Result<Owner> connected_owner(const Peer& peer) const;
  void bind_to_connection(const Peer& peer, const Booking& booking);
  void end_with_connection(std::uint64_t connection);
  Response granted(const LeaseRequest& wanted, const Booking& booking);
  Response when_granted(LeaseRequest wanted, const Booking& booking);
  Response after_wait(const LeaseRequest& wanted, const Booking& booking, std::chrono::nanoseconds waited,
                      const std::string& note);
  void give_up(LeaseWaits::Token token, LeaseId id, bool can_ask_again);
  Response when_drained(LeaseId id, const Ending& ending, std::chrono::nanoseconds wait);
  Response ending_answer(LeaseId id, Ending ending, std::optional<std::chrono::nanoseconds> waited = std::nullopt);
  tl::expected<Subject, Response> theirs(const Request& request);
  std::optional<Lease> known(LeaseId id) const;
  Response end(const Request& request, EndReason why);
  Response leases_answer(unsigned status, LeaseId first, std::uint32_t count, bool repeated, const std::string& note);
  std::vector<LeaseId> group_of(LeaseId id) const;
  std::string user(uid_t uid);

  const LeaseDesk desk_;
  ConnectionLeases connected_;
  const RealFiles files_;
  std::mutex users_mutex_;
  Users users_{files_};  // guarded by users_mutex_
};

/// A refusal as a problem document, with what stands in the way: 400, 403, 404, 409 or 503. `waited`: in vain.
Response refusal_answer(const Refusal& refusal, std::optional<std::chrono::nanoseconds> waited = std::nullopt);

/// The rows of all these, for a table of routes. `answers` gives null while there is no ledger: 503 then.
std::vector<Route> lease_routes(std::function<std::shared_ptr<LeaseAnswers>()> answers);

}  // namespace gpukeeper::service
