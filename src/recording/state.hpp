#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "device/device.hpp"
#include "device/event.hpp"
#include "device/gpu_process.hpp"
#include "device/reading.hpp"

namespace gpukeeper::recording {

/// Time since a recording began. Whole milliseconds: finer than any pace at which devices are read.
using Offset = std::chrono::milliseconds;

/// One call of a backend, as it stands at a frame.
template <class T>
struct Call {
  std::optional<Result<T>> outcome;     ///< of the last one that ended; nothing before the first did
  std::optional<Offset> pending_since;  ///< when the one that goes on began: a hang, when that is long ago
};

struct DeviceCalls {
  Call<Reading> reading;
  Call<std::vector<GpuProcess>> processes;
};

/// What one backend said last.
struct SourceCalls {
  std::string name;  ///< the backend's
  Call<std::vector<Device>> list;
  std::map<DeviceId, DeviceCalls> devices;  ///< those that were asked about, partitions too
};

struct EventCalls {
  std::string name;  ///< the event source's
  Call<void> take;   ///< its events stand in the frames
};

/// What all backends of a machine said last, in the order of precedence.
struct State {
  std::vector<SourceCalls> sources;
  std::vector<EventCalls> event_sources;
};

/// An event, and which of the event sources reported it.
struct TakenEvent {
  std::size_t source = 0;
  DeviceEvent event;
  friend bool operator==(const TakenEvent&, const TakenEvent&) = default;
};

/// One tick.
struct Frame {
  Offset at{0};
  WallTime wall{};
  State state;
  std::vector<TakenEvent> events;  ///< since the frame before
};

/// What stands at the head of a recording.
struct Header {
  WallTime started{};
  std::string host;
  std::string program;                     ///< what recorded it: "gpukeeper 0.1.0"
  bool simulated = false;                  ///< whether any of its devices was made up
  std::vector<std::string> sources;        ///< the backends' names, in order
  std::vector<std::string> event_sources;  ///< the event sources' names, in order
};

}  // namespace gpukeeper::recording
