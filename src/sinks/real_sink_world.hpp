#pragma once

#include <utility>

#include "sinks/curl_transport.hpp"
#include "sinks/sink.hpp"

namespace gpukeeper {

/// The world itself, for sinks of a program that runs.
class RealSinkWorld {
 public:
  RealSinkWorld(Log& log, Secrets::Environment environment)
      : world_{transport_, programs_, clock_, log, Secrets(files_, std::move(environment))} {}
  RealSinkWorld(const RealSinkWorld&) = delete;
  RealSinkWorld& operator=(const RealSinkWorld&) = delete;

  const SinkWorld& world() const { return world_; }

 private:
  SystemClock clock_;  // whatever time devices are played in: receivers live in this one
  CurlTransport transport_;
  RealPrograms programs_;
  RealFiles files_;
  const SinkWorld world_;  // last, as it refers to all of the above
};

}  // namespace gpukeeper
