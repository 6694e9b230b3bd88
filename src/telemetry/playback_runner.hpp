#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "core/playback_clock.hpp"
#include "telemetry/runner.hpp"

namespace gpukeeper {

/// Runner for time that stands still while work is done (PlaybackClock): patience does not count, as no time passes.
/// Waits for each task however long it takes on this machine, unless the task waits for time to pass: that is what a
/// hang is there. So a snapshot never depends on how busy the machine is.
///
/// The destructor ends what still waits, and all waits on the clock to come.
class PlaybackRunner final : public Runner {
 public:
  explicit PlaybackRunner(std::shared_ptr<PlaybackClock> clock) : clock_(std::move(clock)) {}
  ~PlaybackRunner() override;
  PlaybackRunner(const PlaybackRunner&) = delete;
  PlaybackRunner& operator=(const PlaybackRunner&) = delete;

  void run(std::span<const std::shared_ptr<Task>> tasks) override;
  void settle() override;

 private:
  bool is_settled(std::size_t waiting);
  void work();

  const std::shared_ptr<PlaybackClock> clock_;
  std::mutex mutex_;
  std::condition_variable job_;              // for the threads: a job came, or it is time to stop
  std::deque<std::shared_ptr<Task>> queue_;  // guarded by mutex_, as all below
  std::size_t unfinished_ = 0;               // queued or running
  std::size_t idle_ = 0;                     // threads that could take a job
  bool stopping_ = false;
  std::vector<std::thread> threads_;  // of the thread that runs
};

}  // namespace gpukeeper
