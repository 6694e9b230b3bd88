#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "push/pusher.hpp"
#include "push/samples.hpp"

namespace gpukeeper::push {

/// Who says it: the resource of an OTLP request.
struct Resource {
  std::string host;     ///< host.name, and service.instance.id
  std::string version;  ///< service.version
};

/// An ExportMetricsServiceRequest in OTLP's JSON encoding (OpenTelemetry protocol 1.x, "JSON Protobuf Encoding").
/// Counters are monotonic cumulative sums whose start is not known; a gauge is a gauge, a histogram one with explicit
/// bounds.
std::string otlp_body(const std::vector<Family>& families, const Resource& resource, WallTime at);

/// How OTLP over HTTP is spoken: what the specification calls retryable is sent again.
Protocol otlp_protocol(Resource resource);

}  // namespace gpukeeper::push
