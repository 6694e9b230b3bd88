#pragma once

#include "sinks/sink_settings.hpp"
#include "telemetry/alert.hpp"

namespace gpukeeper {

/// Whether a sink is for this alert: by level, rule and device.
bool is_for(const SinkSettings& sink, const Alert& alert);

}  // namespace gpukeeper
