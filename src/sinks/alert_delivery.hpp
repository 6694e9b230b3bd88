#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/machine_name.hpp"
#include "sinks/real_sink_world.hpp"
#include "sinks/sink_dispatcher.hpp"

namespace gpukeeper {

/// The sinks of a program that runs, and the world that they need.
class AlertDelivery {
 public:
  /// `folder`: as in SinkDispatcherOptions; `latest` is asked from start() to stop().
  AlertDelivery(const SinkList& sinks, std::string folder, Log& log, SinkWorker::Latest latest,
                Secrets::Environment environment)
      : world_(log, std::move(environment)),
        dispatcher_(sinks, world_.world(),
                    {.folder = std::move(folder), .host = machine_name(), .latest = std::move(latest)}) {}

  SinkDispatcher& dispatcher() { return dispatcher_; }

 private:
  RealSinkWorld world_;
  SinkDispatcher dispatcher_;
};

}  // namespace gpukeeper
