#pragma once

#include "core/log.hpp"
#include "policy/governor_event.hpp"

namespace gpukeeper::service {

/// Says in the log what the governor tells: states with what decides them, emergencies, applications that are yielded
/// to. Devices that go and return are said by StateLog.
///
/// Threads: one; not the sampler's, which would wait for the log's disk.
class GovernorLog {
 public:
  explicit GovernorLog(Log& log) : log_(log) {}

  void note(const GovernorEvent& event);

 private:
  Log& log_;
};

}  // namespace gpukeeper::service
