#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "core/program.hpp"
#include "core/published.hpp"
#include "core/wakeable_sleep.hpp"
#include "kubernetes/pod_list.hpp"
#include "kubernetes/pod_names.hpp"
#include "telemetry/snapshot.hpp"

namespace gpukeeper::kubernetes {

struct PodNamerOptions {
  std::string socket;  ///< of the kubelet
  std::string helper;  ///< the program that asks there: as for Programs::find
};

/// Adds to snapshots how Kubernetes calls the pods and containers that use the devices.
///
/// The kubelet is asked by a helper program of its own, so that gRPC and whatever comes over that socket stay out of
/// this process: once at the start, at once when a pod is new on a device, every 10 s while there are pods, and less
/// and less often while it fails. A pod is only named by an answer that was asked for after it was seen, as what was
/// said before speaks of others. When the kubelet goes away, names that are known stay and new pods have none.
///
/// Threads: complete() belongs to one thread and waits for nobody; the asking has one of its own.
class PodNamer {
 public:
  static constexpr std::chrono::seconds kPeriod{10};
  static constexpr std::chrono::seconds kSoonest{1};  ///< from one asking to the next, whatever is new
  static constexpr std::chrono::minutes kLongestPause{5};
  static constexpr std::chrono::minutes kRemembered{5};  ///< a pod that is on no device, which may be for a tick only

  PodNamer(PodNamerOptions options, std::shared_ptr<Programs> programs, std::shared_ptr<Clock> clock, Log& log);
  PodNamer(const PodNamer&) = delete;
  PodNamer& operator=(const PodNamer&) = delete;

  /// Sets ProcessPlace::pod of the processes in pods, and who_reason where it is empty and names are lacking by a
  /// fault.
  void complete(Snapshot& snapshot);

  /// Asks the kubelet now; what start() does again and again.
  void ask(const std::stop_token& stop);
  /// When to ask next; may have passed.
  MonotonicTime due() const;

  void start();
  void ask_to_stop();
  bool ended() const { return !running_; }
  /// Ends the thread, which takes no longer than to kill a helper.
  void stop();

 private:
  struct Answer {
    std::optional<MonotonicTime> asked_at;  // of the list; nothing: there was none yet
    std::vector<Pod> pods;
    std::string trouble;  // why the latest asking had no answer; empty when it had
  };

  struct Seen {
    MonotonicTime first;
    MonotonicTime last;
  };

  Result<std::vector<Pod>> answer_of_helper(const std::stop_token& stop);
  void run(const std::stop_token& stop);
  std::set<std::string> note_pods(const Sightings& sightings, const Answer& answer);

  const PodNamerOptions options_;
  const std::shared_ptr<Programs> programs_;
  const std::shared_ptr<Clock> clock_;
  Log& log_;
  std::map<std::string, Seen> seen_;  // complete()'s: by uid
  Published<Answer> answer_;
  std::atomic<bool> pods_ = false;     // are on the devices
  std::atomic<bool> new_pod_ = false;  // is among them, of which no answer speaks
  // Of the thread that asks.
  std::optional<MonotonicTime> asked_;
  unsigned failures_ = 0;  // in a row
  WakeableSleep sleep_;
  std::atomic<bool> running_ = false;
  std::jthread thread_;  // last: it uses all of the others
};

}  // namespace gpukeeper::kubernetes
