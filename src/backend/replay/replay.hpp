#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "device/backend.hpp"
#include "device/event.hpp"
#include "recording/reader.hpp"

namespace gpukeeper {

/// A recording that is played: at any time of the clock it knows what the backends had said by then. What the clock
/// showed when it was made, or at play_from(), is the moment from which it is played.
///
/// Its lock is held while the file is read: the backends of a recording have nothing else to say meanwhile.
/// Threads: every member may be called from any, play_from() before all others.
class Replay {
 public:
  Replay(std::unique_ptr<recording::Reader> reader, std::shared_ptr<const Clock> clock);

  /// Errors: those of recording::Reader::open.
  static Result<std::shared_ptr<Replay>> open(const std::string& path, std::shared_ptr<const Clock> clock);

  /// Plays from this moment on: it is now, and its events are the first.
  void play_from(recording::Offset at);

  const recording::Header& header() const { return header_; }
  recording::Offset begin() const { return begin_; }
  recording::Offset end() const { return end_; }  ///< of its last frame

  /// When, by the clock, that moment of the recording is.
  MonotonicTime time_of(recording::Offset at) const;
  /// When the frame after this moment is; nothing behind the last.
  std::optional<MonotonicTime> next_frame();
  /// The date of the recorded machine now.
  WallTime wall();

  /// What is damaged or unknown in the file, as sentences.
  std::vector<std::string> notes();

  /// A backend for each one that was recorded, and an event source for each of these. They keep `replay` alive.
  static std::vector<std::shared_ptr<Backend>> backends(const std::shared_ptr<Replay>& replay);
  static std::vector<std::shared_ptr<EventSource>> event_sources(const std::shared_ptr<Replay>& replay);

 private:
  friend class ReplayBackend;
  friend class ReplayEvents;

  /// What was known at this moment. Only while the lock is held.
  const recording::State& state(const std::scoped_lock<std::mutex>&);

  const std::shared_ptr<const Clock> clock_;
  const recording::Header header_;
  const recording::Offset begin_;
  const recording::Offset end_;

  std::mutex mutex_;
  std::unique_ptr<recording::Reader> reader_;      // guarded by mutex_, as all below
  const recording::Frame* frame_ = nullptr;        // the latest; the reader's own
  MonotonicTime zero_;                             // when, by the clock, the recording began
  std::vector<std::vector<DeviceEvent>> untaken_;  // by event source
};

}  // namespace gpukeeper
