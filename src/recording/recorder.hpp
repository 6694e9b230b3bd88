#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "core/clock.hpp"
#include "device/backend.hpp"
#include "device/event.hpp"
#include "device/process_facts.hpp"
#include "recording/state.hpp"

namespace gpukeeper::recording {

/// Notes what backends and event sources answer, and what they do not answer yet.
///
/// Threads: the wrapped backends note from any thread; frame() from one.
class Recorder {
 public:
  /// The recording begins now. `clock` must outlive it.
  explicit Recorder(const Clock& clock);

  /// Puts itself around each of them. They keep `recorder` alive, as a call may hang longer than all else lives.
  static void listen(const std::shared_ptr<Recorder>& recorder, std::vector<std::shared_ptr<Backend>>& backends,
                     std::vector<std::shared_ptr<EventSource>>& events);

  /// All that is known now, and the events since the last call. `who`: who the processes are, where the backends do not
  /// say so themselves.
  Frame frame(const ProcessTable& who);

 private:
  friend class RecordingBackend;
  friend class RecordingEvents;

  Offset since_start() const;

  const Clock& clock_;
  const MonotonicTime start_;
  std::mutex mutex_;
  State state_;                    // guarded by mutex_
  std::vector<TakenEvent> taken_;  // guarded by mutex_
};

}  // namespace gpukeeper::recording
