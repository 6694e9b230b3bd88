#pragma once

#include <memory>
#include <string>

#include "client/daemon.hpp"
#include "core/clock.hpp"
#include "desk/lease_desk.hpp"

namespace gpukeeper::desk {

/// Asks a running daemon. Threads: every member may be called from any.
class DaemonDesk final : public LeaseDesk {
 public:
  explicit DaemonDesk(const client::Daemon& daemon)
      : address_(daemon.address()), token_(daemon.token()), trust_(daemon.trust()) {}

  Result<DeskReply> ask(const DeskQuestion& question) override;
  std::optional<Bytes> observed(const std::string& id, const std::string& device) override;
  bool of_daemon() const override { return true; }

 private:
  const ListenAddress address_;
  const std::string token_;
  const std::shared_ptr<const client::Trust> trust_;
  SystemClock clock_;
};

}  // namespace gpukeeper::desk
