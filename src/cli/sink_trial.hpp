#pragma once

#include <string>

#include "cli/context.hpp"
#include "sinks/sink.hpp"

namespace gpukeeper::cli {

/// `gpukeeper alerts test SINK`: one alert, marked as a test, to the sink of that name in the configuration, and what
/// its receiver answered. This process sends it, no daemon, and its filters and `enabled` do not count. Errors:
/// not_found for a name that no sink has; else those of Sink::send.
Exit try_sink_of(const std::string& name, const SinkWorld& world, Context& context);

/// The same with this machine's network, programs and files; what a `log` sink writes goes to standard error.
Exit try_sink_of(const std::string& name, Context& context);

}  // namespace gpukeeper::cli
