#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <sys/types.h>

#include "booking/bookkeeper.hpp"
#include "reclaim/hands.hpp"
#include "reclaim/holder_book.hpp"
#include "reclaim/reclaimer.hpp"
#include "service/http.hpp"
#include "service/router.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::service {

/// What answers about reclaim are made from; all of it outlives them.
struct ReclaimDesk {
  Bookkeeper& book;
  std::function<std::shared_ptr<const Snapshot>()> snapshot;  ///< the latest; never null
  reclaim::Reclaimer& reclaimer;
  reclaim::HolderBook& holders;
  reclaim::RealHands* hands = nullptr;  ///< null: what was suspended cannot be woken here
  uid_t own_uid = 0;                    ///< the user that gpukeeper runs as
};

/// Plans, reclaim, holders and parts of leases over HTTP. Whoever may ask at all may look and plan; root and the user
/// that gpukeeper runs as may have memory reclaimed; a lease's own user registers its holder and divides it.
///
/// An answer may take as long as a disk does. Threads: every member may be called from any.
class ReclaimAnswers {
 public:
  explicit ReclaimAnswers(ReclaimDesk desk) : desk_(std::move(desk)) {}

  /// POST /api/v1/plan {"min_bytes": N, "devices"?: n, "device"?: "0"}
  Response plan(const Request& request) const;
  /// POST /api/v1/reclaim {"service"?, "device"?, "scrub"?, "min_bytes"?, "devices"?, "deadline_seconds"?}: comes when
  /// it is done; 409 while another one runs. With min_bytes room is made for so much, by the plan's moves.
  Response reclaim(const Request& request) const;
  /// GET /api/v1/reclaim: the latest reports, that of a run that goes on as it stands.
  Response reports(const Request& request) const;

  /// GET, PUT, DELETE /api/v1/leases/{id}/holder
  Response holder(const Request& request) const;
  Response set_holder(const Request& request) const;
  Response remove_holder(const Request& request) const;
  /// POST /api/v1/leases/{id}/wake: books a suspended lease's memory again and lets its process go on.
  Response wake(const Request& request) const;
  /// GET, PUT {"name": "…", "bytes": N}, DELETE ?name= /api/v1/leases/{id}/parts
  Response parts(const Request& request) const;
  Response set_part(const Request& request) const;
  Response remove_part(const Request& request) const;

 private:
  struct Wish;
  Result<Wish> wish_of(const Request& request, std::initializer_list<std::string_view> known) const;
  tl::expected<Lease, Response> lease_of(const Request& request, bool to_change) const;
  Response parts_answer(const Lease& lease) const;

  const ReclaimDesk desk_;
};

/// The rows of all these. `answers` gives null while there is no ledger: 503 then.
std::vector<Route> reclaim_routes(std::function<std::shared_ptr<const ReclaimAnswers>()> answers);

}  // namespace gpukeeper::service
