#pragma once

#include <set>
#include <string>
#include <vector>

#include "policy/andon/alert_listener.hpp"

namespace gpukeeper::simulation {

/// What must hold of alerts: each is raised once, told of while it lasts, and cleared once.
class AlertInvariants final : public AlertListener {
 public:
  void alerts_changed(const std::vector<AlertChange>& changes) override;

  /// After each look; says what is wrong, nothing when all is well. Nobody silences alerts here.
  std::vector<std::string> look(const AlertList& alerts);

  /// Ids and messages of those that have not ended.
  const std::set<std::string>& firing() const { return firing_; }
  std::size_t raised() const { return ended_.size() + firing_.size(); }

 private:
  std::set<std::string> firing_;  // ids
  std::set<std::string> ended_;
  std::vector<std::string> wrong_;
};

}  // namespace gpukeeper::simulation
