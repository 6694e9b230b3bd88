#pragma once

#include <string>

#include "sinks/sink.hpp"

namespace gpukeeper {

/// Sends a test notice to one sink, once and at once, whatever the sink's filters are: what the receiver answered, as
/// "https://hooks.example.org/… answered with status 200". Errors: those of Sink::send.
Result<std::string> try_sink(const SinkSettings& settings, const SinkWorld& world);

}  // namespace gpukeeper
