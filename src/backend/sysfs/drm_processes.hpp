#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "backend/sysfs/drm_scan.hpp"
#include "backend/sysfs/drm_sweep.hpp"
#include "core/clock.hpp"
#include "core/files.hpp"

namespace gpukeeper {

/// Every process that has a DRM device open, for all vendors at once: one scan serves all backends.
///
/// With a thread of its own: the first scan() starts it. From then on it looks once a period for as long as somebody
/// asks, and scan() answers at once with the last scan that was finished. A machine whose backends never ask (one with
/// NVIDIA's GPUs only) never pays for it. Looking runs code of the GPUs' drivers, which can hang: whoever asks
/// meanwhile gets the last scan, after ten seconds the news that it hangs, and the destructor lets such a thread go.
/// What it uses lives as long as it does.
///
/// Without one (for a recorded machine, in tests, and where no thread can be made) the caller of scan() looks itself
/// when the last scan is older than the period; others who ask meanwhile do not wait for it.
///
/// Threads: every member may be called from any thread.
class DrmProcesses {
 public:
  struct Options {
    DrmSweep::Options sweep;
    std::chrono::milliseconds patience{450};     ///< how long to wait for a scan when there is none that speaks of now
    std::chrono::milliseconds interest{10'000};  ///< the thread rests when nobody has asked for so long
  };
  /// Makes a thread that runs a function; throws std::system_error when the machine gives no more of them.
  using MakeThread = std::function<std::thread(std::function<void()>)>;

  /// Without a thread. `files` and `clock` must outlive this.
  DrmProcesses(const Files& files, const Clock& clock, Options options);

  /// With a thread.
  DrmProcesses(
      std::shared_ptr<const Files> files, std::shared_ptr<Clock> clock, Options options,
      MakeThread make_thread = [](std::function<void()> body) { return std::thread(std::move(body)); });

  ~DrmProcesses();
  DrmProcesses(const DrmProcesses&) = delete;
  DrmProcesses& operator=(const DrmProcesses&) = delete;

  /// The scan in force; never null. Not valid when there is none that still speaks of now: none was finished within the
  /// patience, or a driver hangs.
  std::shared_ptr<const DrmScan> scan();

 private:
  struct State;
  bool start_thread();

  const std::shared_ptr<State> state_;  // shared with the thread
  const std::shared_ptr<Clock> clock_;  // by which the thread paces itself; null without one
  const MakeThread make_thread_;
  std::thread thread_;  // guarded by State::mutex
};

}  // namespace gpukeeper
