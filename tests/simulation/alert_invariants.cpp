#include "alert_invariants.hpp"

#include <utility>

#include <fmt/format.h>

namespace gpukeeper::simulation {

void AlertInvariants::alerts_changed(const std::vector<AlertChange>& changes) {
  for (const AlertChange& change : changes) {
    const std::string& id = change.alert.id;
    const auto say = [&](std::string_view what) {
      wrong_.push_back(fmt::format("alert {} ({}): {}", id, change.alert.rule, what));
    };
    switch (change.kind) {
      case AlertChange::Kind::fired:
        if (ended_.contains(id)) say("an id is used again");
        if (!firing_.insert(id).second) say("it is raised twice");
        break;
      case AlertChange::Kind::escalated:
      case AlertChange::Kind::repeated:
        if (!firing_.contains(id)) say("it is told of and was never raised");
        break;
      case AlertChange::Kind::resolved:
        if (firing_.erase(id) == 0) say("it is cleared and was not raised");
        ended_.insert(id);
        break;
    }
  }
}

std::vector<std::string> AlertInvariants::look(const AlertList& alerts) {
  std::set<std::string> listed;
  for (const Alert& alert : alerts) {
    if (alert.phase == AlertPhase::firing) listed.insert(alert.id);
    if (alert.message.empty()) wrong_.push_back(fmt::format("alert {} ({}) says nothing", alert.id, alert.rule));
  }
  if (listed != firing_) wrong_.push_back("what fires by the list is not what was told");
  return std::exchange(wrong_, {});
}

}  // namespace gpukeeper::simulation
