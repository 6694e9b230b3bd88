#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string_view>

#include "booking/bookkeeper.hpp"
#include "core/clock.hpp"
#include "desk/lease_desk.hpp"
#include "desk/own_book.hpp"
#include "reclaim/reclaim_settings.hpp"
#include "service/router.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::desk {

/// Answers about the ledger of the state directory, in this process.
/// Threads: every member may be called from any, where `look` may.
class OwnDesk final : public LeaseDesk {
 public:
  /// What the devices do now.
  using Look = std::function<Result<std::shared_ptr<const Snapshot>>()>;

  /// `time`: that of the devices; it and the book outlive this. `stop` ends waiting for room.
  OwnDesk(OwnBook& book, reclaim::ReclaimSettings reclaim, Look look, Clock& time, std::stop_token stop = {});

  Result<DeskReply> ask(const DeskQuestion& question) override;
  std::optional<Bytes> observed(const std::string& id, const std::string& device) override;
  bool of_daemon() const override { return false; }

  void configure(reclaim::ReclaimSettings reclaim);

 private:
  Result<DeskReply> look_and_answer(const DeskQuestion& question);
  service::Response answer(service::Request request, const StateDirectory* directory, Bookkeeper& book);
  Result<std::shared_ptr<const Snapshot>> look();
  std::shared_ptr<const Snapshot> seen() const;
  reclaim::ReclaimSettings settings() const;

  OwnBook& book_;
  const Look look_;
  Clock& time_;
  const std::stop_token stop_;
  mutable SystemClock clock_;  // leases live by real time, whatever is played
  mutable std::mutex mutex_;
  reclaim::ReclaimSettings reclaim_;      // guarded by mutex_, as below
  std::shared_ptr<const Snapshot> seen_;  // the latest; null before the first
};

/// Whether a path is one that this answers: leases, quotas, services, reclaim.
bool is_about_the_ledger(std::string_view path);

}  // namespace gpukeeper::desk
