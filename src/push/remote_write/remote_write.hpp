#pragma once

#include <string>

#include "push/pusher.hpp"

namespace gpukeeper::push {

/// How Prometheus remote-write 1.0 is spoken: Protocol Buffers, compressed with Snappy, at most kMostSeries series a
/// request. A series that is there no more gets one stale marker, as the specification asks for.
inline constexpr std::size_t kMostSeries = 2000;
Protocol remote_write_protocol();

}  // namespace gpukeeper::push
